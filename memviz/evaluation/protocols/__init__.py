"""How each paper measured: a TOML file per protocol, read into a typed record."""

from memviz.evaluation.protocols.protocol import Need as Need
from memviz.evaluation.protocols.protocol import Protocol as Protocol
from memviz.evaluation.protocols.protocol import Published as Published
from memviz.evaluation.protocols.protocol import list_protocols as list_protocols
from memviz.evaluation.protocols.protocol import load_protocol as load_protocol
