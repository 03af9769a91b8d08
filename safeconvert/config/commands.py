"""The commands as a table: name, what each does in one line, and the text of its `--help`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from safeconvert.core.formats import PAIRS, SUFFIXES, TITLES


class Section(StrEnum):
    """Headings of `safeconvert --help`, in order."""

    MAIN = "Commands"
    MORE = "Certificates, faults and settings"
    PAIRS = "Pairs of formats, as convert"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as typed.
        summary: one sentence of at most 60 characters, so that no terminal of 80 columns cuts it.
        example: a whole command line.
        details: further paragraphs of the help.
        section: where it is listed.
        verdict: ends with the exit codes of a conversion.
    """

    name: str
    summary: str
    example: str
    details: tuple[str, ...] = ()
    section: Section = Section.MORE
    verdict: bool = False

    @property
    def help(self) -> str:
        """The help text, paragraph by paragraph."""
        return "\n\n".join((self.summary, *self.details, f"Example: {self.example}"))


def _pair(source: str, target: str) -> Command:
    name = f"{source}2{target}"
    example = f"safeconvert {name} model --inputs images/ --preprocessing torchvision -o model{SUFFIXES[target][0]}"
    return Command(name, f"{TITLES[source]} to {TITLES[target]}, verified.", example, (), Section.PAIRS, True)


COMMANDS: tuple[Command, ...] = (
    Command(
        "convert",
        "Converts a model and verifies the result.",
        "safeconvert convert model.pt --to keras",
        ("The format of the source is detected from its content. The target is repaired where it is not equivalent, and "
         "written only where it is.",),
        Section.MAIN, True,
    ),
    Command(
        "verify",
        "Compares an existing conversion with its source.",
        "safeconvert verify model.pt model.tflite --inputs images/ --preprocessing torchvision",
        (), Section.MAIN, True,
    ),
    Command(
        "prove",
        "Proves a conversion equal, or says where that ends.",
        "safeconvert prove model.onnx model.tflite",
        ("Compares both as `verify` does, and proves their ONNX forms to be one function; see `safeconvert explain proof`. Prints the steps, "
         "and what is unproven with what would be needed, or an input on which both differ.",
         "Exit code 0: proven; 1: not equivalent; 4: not proven, which is no verdict."), Section.MAIN, True,
    ),
    Command(
        "repair",
        "Repairs an existing conversion in its native file.",
        "safeconvert repair model.pt model.tflite -o fixed.tflite --inputs images/",
        ("The repaired file is verified again, on inputs that steered no repair.",), Section.MAIN, True,
    ),
    Command(
        "localize",
        "Names the nodes at which a conversion is wrong.",
        "safeconvert localize model.pt model.tflite --inputs images/ --preprocessing torchvision",
        (), Section.MAIN, True,
    ),
    Command(
        "check",
        "Checks that certified files are unchanged.",
        "safeconvert check model.keras.certificate.json --public-key release.pub",
        ("Hashes the files that a certificate names again, and verifies its signature where it has one; with --proof also its proof.",
         "Exit code 0: unchanged; 1: something changed, is missing, or is not signed by the key; 2: not a certificate."),
        Section.MAIN,
    ),
    Command(
        "gate",
        "Checks every model in a directory before deployment.",
        "safeconvert gate models/ --public-key release.pub --acknowledge obligations.toml",
        ("Nothing is run. A model passes that is the file its certificate names, verified, whose source is unchanged where "
         "it is here, and whose obligations are all listed in the --acknowledge file as [[accepted]] model = \"…\", "
         "obligation = \"…\".",
         "Exit code 0: all pass; 1: one does not; 2: nothing to check, or a key or file that cannot be used."),
        Section.MAIN,
    ),
    Command(
        "batch",
        "Runs many conversions, and goes on where it stopped.",
        "safeconvert batch models.toml --results converted/",
        ("The manifest lists jobs, each a conversion, verify or repair with its flags. A ledger in the folder of results holds the "
         "state of each: a batch that was stopped, however, loses no finished job and repeats none; changed files or flags are "
         "run again. index.html in it lists the reports of all jobs.",
         "Exit code: the largest of all jobs; 4 where one crashed or was not run; 0 only where all are verified."),
    ),
    Command(
        "merge",
        "Merges the certificates of shards.",
        "safeconvert merge part-*.json -o whole.certificate.json",
        ("verify --shard I/N compares a part of many inputs, here or on N machines. The merged certificate says what one run over all of them "
         "would: counts add, inputs that stand in two shards count once, and the bound is computed of the sum. It lists its shards, and check "
         "merges them again.",
         "Exit code 0: verified; 1: not equivalent; 2: a shard is missing, or of other models, inputs or settings."),
    ),
    Command(
        "show",
        "Prints a certificate.",
        "safeconvert show model.keras.certificate.json --json",
        ("With --json for a program; --junit and --model-explorer write files for other tools.",),
    ),
    Command(
        "report",
        "Writes an HTML page from a certificate and its evidence.",
        "safeconvert report model.keras.certificate.json -o report.html",
        ("The page is one file that loads nothing from elsewhere.",),
    ),
    Command(
        "attest",
        "Writes a certificate in the forms of other standards.",
        "safeconvert attest model.keras.certificate.json --test-result result.json --ml-bom bom.json",
        ("The target is hashed again first.",),
    ),
    Command(
        "pack",
        "Writes a minimal reproduction of each unrepaired fault.",
        "safeconvert pack model.keras.rejected.certificate.json -o issues/",
        ("Each folder holds the smallest ONNX graph on which the raw converter still goes wrong (model.onnx), its inputs and "
         "outputs (test_data_set_0), a program that runs the raw converter alone, and the text of an issue. Where the "
         "converter goes wrong on no part of the model alone, the text says so.",),
    ),
    Command(
        "keygen",
        "Makes an Ed25519 key pair for signing certificates.",
        "safeconvert keygen release-2026-11",
        ("The private key is for --key, the public one for --public-key. A date in the name tells keys apart later.",),
    ),
    Command(
        "adapters",
        "Lists the converters and frameworks, or installs them.",
        "safeconvert adapters install onnx2tf",
        ("For each adapter: its version, whether it loads here, and if not, why and what to do.",
         "Converters whose packages do not go with the others have environments of their own: `install NAME` makes one with "
         "the exact versions of the adapter's lock file, `remove NAME` removes it. Nothing else fetches packages."),
    ),
    Command(
        "config",
        "Shows the settings in force and where each comes from.",
        "safeconvert config torch2keras",
        ("The command line goes before the settings file, and the file before the defaults.",),
    ),
    Command(
        "explain",
        "Prints the documentation on a topic.",
        "safeconvert explain WB",
        ("Without a topic, lists all topics.",),
    ),
    Command(
        "demo",
        "Trains a small CNN, converts it and verifies it.",
        "safeconvert demo --folder build/demo",
        ("The model reads handwritten digits; it is converted from PyTorch to Keras and verified on held-out digits.",),
    ),
    *(_pair(source, target) for source, target in PAIRS),
)  # fmt: skip
"""Every command, in the order of `safeconvert --help`."""

EXIT_CODES = (
    "Exit codes: 0 verified · 1 not equivalent · 2 usage or unusable input · 3 no route could convert · 4 no verdict."
)
