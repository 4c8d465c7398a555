"""A text that is to go to the contacts of a list, ready to be rendered."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.errors import Invalid
from todoke.sms.rendering import Renderer
from todoke.sms.templates import Template, TemplateError, UnknownField, parse


def compiled(body: str, fields: Sequence[str], calling_list: str) -> tuple[Template, Renderer]:
    """Invalid where it is empty, does not parse, or names a field that the list does not have."""
    if not body.strip():
        raise Invalid("The text is empty.", fix="Write what is to be sent.")
    try:
        template = parse(body)
        return template, template.compile(fields)
    except (TemplateError, UnknownField) as error:
        raise Invalid(str(error), where=f"text for the list {calling_list!r}") from None
