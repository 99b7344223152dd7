"""What siftpack knows of other people's types: one file per library, and one table of the machinery among them."""
