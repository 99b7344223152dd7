"""Records of listed classes as a reader finds them: rebuilt by name, or as what they hold."""

from typing import Any

from siftpack.listed import Types, restore


def rebuild(types: Types, name: str, fields: dict[str, Any], *, in_key: bool) -> Any:
    """The instance of the class that is listed under a name.

    Where none is, the base storage if the record has any, else the fields: as a dict, or in a key as the tuple of their
    values. Raises ``ValueError`` where the class refuses.
    """
    known = types.by_name.get(name)
    if known is not None:
        return restore(known, fields)
    if "" in fields:
        return fields[""]
    return tuple(fields.values()) if in_key else fields
