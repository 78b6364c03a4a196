"""What a fine-tuning imports, for a fork server to have it before it forks."""

from diffusers import StableDiffusionPipeline as StableDiffusionPipeline

from memviz.training import trainer as trainer
