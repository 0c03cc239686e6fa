"""What is tested: every framework with nothing set, and every pair of answers with real servers."""

from dataclasses import dataclass

from allpairspy import AllPairs

from tests.baking import ROOT
from tests.template_rules import choices

_CHOICES = choices(ROOT)
FRAMEWORKS = _CHOICES["framework"]


@dataclass(frozen=True)
class Variant:
    """A project and whether it runs without a server: on SQLite, its cache and its jobs inside the process."""

    framework: str
    cache: str
    queue: str
    database: str
    embedded: bool = False

    def __str__(self) -> str:
        answers = [self.framework] if self.embedded else [self.framework, self.database, self.cache, self.queue]
        return "-".join(answers)

    @property
    def has_broker(self) -> bool:
        """Whether somebody else than the web process runs the jobs."""
        return not self.embedded and self.queue != "none"

    @property
    def answers(self) -> dict[str, str]:
        return {
            "framework": self.framework,
            "cache": self.cache,
            "queue": self.queue,
            "database": self.database,
        }


_DEFAULTS = {key: _CHOICES[key][0] for key in ("cache", "queue", "database")}
_EMBEDDED = [Variant(framework, **_DEFAULTS, embedded=True) for framework in FRAMEWORKS]
# In the order that needs the fewest. The first of each framework has replicas.
_REAL = [
    Variant(*answers)
    for answers in AllPairs(
        [FRAMEWORKS, _CHOICES["cache"], sorted(_CHOICES["queue"]), sorted(_CHOICES["database"], reverse=True)]
    )
]
KINDS = {
    "embedded": _EMBEDDED,
    "real": _REAL,
    "one real": _REAL[:1],
    "one real of each framework": [
        next(variant for variant in _REAL if variant.framework == framework) for framework in FRAMEWORKS
    ],
}


def variants(*kinds: str) -> list[Variant]:
    return [variant for kind in kinds for variant in KINDS[kind]]
