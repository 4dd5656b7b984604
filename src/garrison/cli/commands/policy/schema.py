"""`garrison schema`: the JSON Schema of a policy, for editors."""

from __future__ import annotations

from garrison.cli.options import Json, commands
from garrison.cli.screen import show

__all__ = ["app", "schema"]

app = commands()


@app.command()
def schema(json: Json = False) -> None:
    """Print the JSON Schema of a policy, for editors.

    Save it, and name it in the first line of the policy: #:schema garrison.schema.json
    """
    from garrison.policy.file.editor import editor_schema

    del json  # it is JSON either way
    show(editor_schema())
