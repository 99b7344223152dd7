"""What is a secret: by the name of its field, and by its own shape.

``names`` is asked once per field and is here at once. ``values`` looks into strings; import it where it is needed.
"""

from siftpack.redact.names import secret_name, words

__all__ = ["secret_name", "words"]
