"""The widget's form: lists are written one entry a line, and each line is told what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chatproxy.widgets.contrast import judge
from chatproxy.widgets.models import (
    DEFAULT_CONTENT_TYPES,
    INTERACTIVE_RESPONSE,
    Widget,
    normal_origin,
    validate_attribute_names,
)

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Widget]
else:
    ModelForm = forms.ModelForm

PLAIN = "text/plain"
CONTENT_TYPES = [
    (PLAIN, "Plain text (always)"),
    ("text/markdown", "Formatted text (Markdown)"),
    (INTERACTIVE_RESPONSE, "Answers to forms and to lists of several pages"),
    ("application/json", "JSON, for a page's own messages"),
]


class LinesField(forms.CharField):
    """A list of short texts, one a line. ``tidy`` makes an entry what is stored, or refuses it."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 50, "spellcheck": "false"})

    def __init__(self, *, tidy: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.tidy = tidy

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        entries, wrong = [], []
        for entry in re.split(r"[\s,]+", value or ""):
            try:
                entries.append(self.tidy(entry)) if entry else None
            except ValidationError as err:
                wrong.extend(err.messages)
        if wrong:
            raise ValidationError(wrong)
        return list(dict.fromkeys(entries))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


def _contrast_note(accent: str) -> SafeString:
    verdict = judge(accent)
    tone = "contrast faint" if verdict.faint_on else "contrast"
    return format_html('<output class="{}" for="id_accent">{}</output>', tone, verdict)


def tidy_attribute_name(entry: str) -> str:
    """A contact attribute's name as it is; anything else is refused."""
    validate_attribute_names([entry])
    return entry


class WidgetForm(ModelForm):
    """Everything a widget has; see the model for what each means."""

    allowed_origins = LinesField(
        tidy=normal_origin,
        help_text="Pages that may embed it: scheme, host and port, exactly, one a line, "
        "for example https://www.example.com. No path, no wildcard.",
    )
    attribute_names = LinesField(
        tidy=tidy_attribute_name,
        help_text="Contact attributes a page may set, one a line. Others are refused.",
    )
    content_types = forms.MultipleChoiceField(
        choices=CONTENT_TYPES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Visitors may send",
    )

    class Meta:
        model = Widget
        fields = "__all__"
        widgets = {
            "accent": forms.TextInput(attrs={"type": "color", "data-contrast": ""}),
            "texts": forms.Textarea(attrs={"rows": 3, "cols": 50, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "accent" in self.fields:  # not for those who may only look
            self.fields["allowed_origins"].widget.attrs["data-origins"] = ""
            self.fields["accent"].help_text = _contrast_note(self.instance.accent)
            types = self.initial.get("content_types") or DEFAULT_CONTENT_TYPES
            self.initial["content_types"] = types

    def clean_content_types(self) -> list[str]:
        return list(dict.fromkeys([PLAIN, *self.cleaned_data["content_types"]]))

    def clean_texts(self) -> dict[str, str]:
        texts = self.cleaned_data["texts"] or {}
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise ValidationError('Write it like {"launcher": "Ask us"}: each key with its text.')
        return texts
