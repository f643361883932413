"""Settings of live data as they hold now: the study's ``[live]`` table under what the environment says instead."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from corridor.errors import StudyError
from corridor.io.fetch.elevation import all_providers, provider_ids
from corridor.plugins import nearest_name
from corridor.schema.live_settings import PREFIX, BaseAddress, ExtractName, LiveSettings


class _FromEnvironment(LiveSettings, BaseSettings):
    """A study's settings, over each of which ``CORRIDOR_`` and its name in capitals wins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    geofabrik_extracts: Annotated[tuple[ExtractName, ...], NoDecode] = ()

    @field_validator("geofabrik_extracts", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """A variable holds names between commas; JSON, which is the usual form of lists there, is no way to type."""
        return [part.strip() for part in given.split(",")] if isinstance(given, str) else given

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment first, then the study; no file of variables is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def settings_model() -> type[LiveSettings]:
    """The model of all settings that there are: the general ones, and the addresses that sources of elevation add."""
    addresses: dict[str, Any] = {
        key: (BaseAddress, setting.default)
        for provider in all_providers()
        for key, setting in provider.settings.items()
    }
    # Fields that only the registry knows are made at run time; their types are as strict as if they were written.
    dem: Any = (Literal[provider_ids()], LiveSettings.model_fields["dem"].default)
    return create_model("LiveSettingsNow", __base__=_FromEnvironment, dem=dem, **addresses)


def resolve_live(table: LiveSettings) -> LiveSettings:
    """A study's settings with what the environment says instead.

    Args:
        table: The study's ``[live]`` table.

    Returns:
        Settings with a value for every address of every source.

    Raises:
        StudyError: a variable holds what its key can't, or the table has a key that no source knows; all faults at
            once.
    """
    model = settings_model()
    try:
        return model(**{key: getattr(table, key) for key in table.model_fields_set})
    except ValidationError as faults:
        said = []
        for fault in faults.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            # Whoever set it must be named: the variable wins over the table, so a set variable is the culprit.
            variable = PREFIX + key.upper()
            where = variable if os.environ.get(variable) else f"live.{key}".rstrip(".")
            words = fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "extra_forbidden":
                words = f"no source has such a server{nearest_name(key, model.model_fields)}; correct or remove it"
            said.append(f"{where}: {words}")
        raise StudyError("; ".join(said)) from faults
