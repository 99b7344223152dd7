"""Listed types: what may be listed, and how each family of classes is made again from its fields."""
