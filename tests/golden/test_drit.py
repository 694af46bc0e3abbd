"""Our networks of DRIT compute the outputs of the official ones, in both modes."""

from __future__ import annotations

import pytest
import torch

from models.networks.drit.generator import DritTranslator
from tests.golden.baselines_reading import GoldenSet, golden_sets
from training.importers.drit import DritNetworks, drit_networks

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("drit"))]


@pytest.fixture
def networks(golden: GoldenSet) -> DritNetworks:
    return drit_networks(golden.params)


def test_contents_and_attributes_are_the_golden_ones(golden: GoldenSet, networks: DritNetworks) -> None:
    with torch.inference_mode():
        for domain, name in (("A", "a"), ("B", "b")):
            picture = golden.tensor(f"image_{name}")
            golden.assert_vector(networks.encoder(picture, domain), f"content_{name}")
            attribute = networks.attribute(picture, domain)
            mean = "attr" if attribute.log_variance is None else "attr_mu"
            golden.assert_vector(attribute.mean, f"{mean}_{name}")
            if attribute.log_variance is not None:
                golden.assert_vector(attribute.log_variance, f"attr_logvar_{name}")


def test_translations_are_the_golden_ones(golden: GoldenSet, networks: DritNetworks) -> None:
    with torch.inference_mode():
        for source, target in (("A", "B"), ("B", "A")):
            translator = DritTranslator(networks.encoder, networks.generator, source=source, target=target)
            picture, other = (golden.tensor(f"image_{name.lower()}") for name in (source, target))
            translation = translator(picture, golden.tensor(f"z_{target.lower()}"))
            golden.assert_vector(translation.image, f"fake_{target}_z")
            reference = networks.attribute(other, target).mean
            golden.assert_vector(translator(picture, reference).image, f"fake_{target}_ref")
            own = networks.attribute(picture, source).mean
            content = networks.encoder(picture, source)
            golden.assert_vector(networks.generator(content, own, source), f"recon_{source}")


def test_discriminators_return_the_golden_logits(golden: GoldenSet, networks: DritNetworks) -> None:
    with torch.inference_mode():
        for domain in ("A", "B"):
            picture = golden.tensor(f"image_{domain.lower()}")
            fake = golden.tensor(f"fake_{domain}_z")
            for name, judged in ((f"dis{domain}", picture), (f"dis{domain}2", fake)):
                for scale, logit in enumerate(networks.discriminators[name](judged)):
                    golden.assert_vector(logit, f"{name}.scale{scale}")
            content = networks.encoder(golden.tensor(f"real_{domain}")[:1], domain)
            logit = networks.discriminators["disContent"](content).flatten()
            golden.assert_vector(logit, f"disContent.real_{domain}")


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet, networks: DritNetworks) -> None:
    own = {"enc_c": networks.encoder, "enc_a": networks.attribute, "gen": networks.generator}
    golden.assert_counts({**networks.discriminators, **own})
