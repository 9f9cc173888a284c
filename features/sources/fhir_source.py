"""FHIR resources by the names that references use, out of Bundles and files.

Assumes that a reference names its target by full URL, by type and id, or by ``urn:uuid``; one that
leads nowhere here leads to nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RegistryError
from ..said import said
from .fhir_elements import elements, part

__all__ = ["FhirSource", "Resource", "resources_in", "resources_of"]

Resource = Mapping[str, Any]


@dataclass
class FhirSource:
    """Every resource by the names that references use, and whose it is.

    Parameters
    ----------
    resources : dict of str to (str, Resource)
        Name and resource, by each of its names.
    patients : dict of str to str
        patient_id by the name of the Patient resource.
    """

    resources: dict[str, tuple[str, Resource]] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)

    def add(self, url: str, resource: Resource) -> None:
        """Add a resource; a later one of the same name takes its place."""
        kind, identifier = resource["resourceType"], resource.get("id")
        name = f"{kind}/{identifier}" if isinstance(identifier, str) and identifier else url
        name = name or f"{kind}/#{len(self.resources) + 1}"
        self.resources[name] = (name, resource)
        if url and url != name:
            self.resources[url] = self.resources[name]

    def __iter__(self) -> Iterator[tuple[str, Resource]]:
        """Yield name and resource, each once."""
        seen = set()
        for name, resource in self.resources.values():
            if name not in seen:
                seen.add(name)
                yield name, resource

    def find(self, reference: Any, within: Resource) -> Resource | None:
        """Return the resource that a Reference leads to."""
        target = part(reference, "reference")
        if not isinstance(target, str):
            return None
        if target.startswith("#"):
            held = elements(within, "contained")
            return next((each for each in held if each.get("id") == target[1:]), None)
        found = self.resources.get(target) or self.resources.get(_relative(target))
        return found[1] if found else None

    def patient(self, resource: Resource) -> str | None:
        """Return the patient_id of a resource's subject."""
        for name in ("subject", "patient"):
            target = part(resource, name, "reference")
            if isinstance(target, str):
                uuid = f"Patient/{target.removeprefix('urn:uuid:')}"
                for key in (target, _relative(target), uuid):
                    if key in self.resources:
                        return self.patients.get(self.resources[key][0])
        return None


def _relative(reference: str) -> str:
    return "/".join(reference.split("/_history/")[0].split("/")[-2:])


def resources_of(content: Any) -> Iterator[tuple[str, Resource]]:
    """Yield full URL and resource of a Bundle's entries, or of the one resource.

    Raises
    ------
    RegistryError
        When it is no FHIR resource, or a Bundle that is one page of several.
    """
    kind = part(content, "resourceType")
    if not isinstance(kind, str):
        raise RegistryError(
            said("expected_resource", "expected a FHIR resource: a JSON object with resourceType.")
        )
    if kind != "Bundle":
        yield "", content
        return
    if any(link.get("relation") == "next" for link in elements(content, "link")):
        raise RegistryError(
            said(
                "one_page",
                "the Bundle is one page of several (it has a link `next`); put all pages together.",
            )
        )
    for entry in elements(content, "entry"):
        resource, url = entry.get("resource"), entry.get("fullUrl")
        held = part(resource, "resourceType")
        if isinstance(resource, Mapping) and isinstance(held, str):
            if held == "Bundle":
                yield from resources_of(resource)
            else:
                yield url if isinstance(url, str) else "", resource


def resources_in(file: Path) -> Iterator[tuple[str, Resource]]:
    """Yield full URL and resource of a JSON or NDJSON file.

    Raises
    ------
    RegistryError
        When it cannot be read or is not FHIR; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        contents = [text] if file.suffix == ".json" else filter(str.strip, text.splitlines())
        for content in contents:
            yield from resources_of(json.loads(content))
    except (OSError, ValueError, RecursionError, RegistryError) as error:
        raise RegistryError(f"{file.name}: cannot be read: {error}") from error
