"""One module for each library that siftpack fits into; each is imported by those who use it."""
