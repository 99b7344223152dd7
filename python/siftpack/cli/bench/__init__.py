"""What measures siftpack beside its peers: data, contestants, checks and the clock. ``siftpack bench`` is its face."""
