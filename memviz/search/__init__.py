"""Pictures looked up in a corpus: matches, verdicts, DCR's figures, and a folder of evidence.

May import `retrieval`, `data`, `io` and `errors`.
"""

from memviz.search.folder import SearchRequest as SearchRequest
from memviz.search.folder import search as search
from memviz.search.matching import match_pictures as match_pictures
