"""One file of certificates for both sides, said by its variable where it is none."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.settings import BUNDLES, certificates, trust_one_bundle

# Any certificate will do: the first one that this machine trusts.
SOME = ssl.DER_cert_to_PEM_cert(
    ssl.create_default_context().get_ca_certs(binary_form=True)[0]  # needs some on this machine
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.pem"
    file.write_text(SOME)
    return file


def test_without_any_variable_nothing_changes() -> None:
    environment = {"PATH": "/bin", "SSL_CERT_FILE": ""}
    assert certificates(environment) is None
    trust_one_bundle(environment)
    assert environment == {"PATH": "/bin", "SSL_CERT_FILE": ""}


@pytest.mark.parametrize("number", range(len(BUNDLES)))
def test_the_first_that_is_set_counts_for_both(number: int, bundle: Path) -> None:
    environment = dict.fromkeys(BUNDLES[number:], "/not/looked/at")
    environment |= {BUNDLES[number]: str(bundle)}
    assert certificates(environment) == str(bundle)
    trust_one_bundle(environment)
    assert environment["AWS_CA_BUNDLE"] == str(bundle)


def test_the_home_of_a_name_in_quotes(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(bundle.parent))
    assert certificates({"SSL_CERT_FILE": "~/bundle.pem"}) == str(bundle)


@pytest.mark.parametrize("variable", BUNDLES)
@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty"])
def test_what_is_no_bundle_is_said_by_its_variable(
    variable: str, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.pem"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_text("no certificate" if kind == "text" else "")
    with pytest.raises(UsageError) as caught:
        certificates({variable: str(file)})
    assert variable in caught.value.message
    assert variable in caught.value.hint
    assert str(file) in caught.value.message
