"""What all tabs of all browsers share: the friend, the settings, the cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from reframer import settings
from reframer.conversation import Library
from reframer.knowledge import Background, load_background, load_techniques
from reframer.reader import Reader
from reframer.records import Technique
from reframer.safety import country_here
from reframer.settings import Settings
from reframer.ui.friend import Friend


@dataclass(slots=True)
class House:
    """What the rooms of the page have in common.

    Attributes:
        settings: As they stand now.
        friend: Answers.
        library: Explains.
        techniques: The technique cards.
        background: The background cards.
    """

    settings: Settings
    friend: Friend
    library: Library
    techniques: tuple[Technique, ...]
    background: tuple[Background, ...]

    @classmethod
    def open(cls, chosen: Settings) -> House:
        """Open the house as the settings say; the model is opened in the background.

        Raises:
            KnowledgeError: There is no usable card.
        """
        techniques, background = load_techniques(chosen.cards_dir), load_background()
        library = Library(lambda: Reader.from_catalog(chosen.models_dir), techniques, background)
        friend = Friend.open(chosen)
        friend.wake()
        return cls(chosen, friend, library, techniques, background)

    @property
    def country(self) -> str:
        """The country of the help lines; empty where neither settings nor locale know it."""
        return (self.settings.country or country_here()).upper()

    def remember(self, **changes: Any) -> None:
        """Take over settings and write them to the settings file.

        Raises:
            SettingsError: A value is impossible, the file is not TOML, or it cannot be written.
        """
        settings.save(changes)
        self.settings = replace(self.settings, **changes)
        self.friend.move_to(self.settings.country)
