"""From a picture to its nearest training pictures: descriptors, index, background, alignment."""
