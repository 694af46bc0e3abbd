"""`GET /attention`: the heat maps of an earlier translation."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from models.bundle.canary import smooth_picture
from models.images.legend import legend_height
from tests.fake_engine import FakeModel, fake_outputs
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import encoded, photo, pixels_of

PICTURE = smooth_picture(32, 32, seed=5)


def translated(client: TestClient, query: str = "", body: bytes = encoded(PICTURE)) -> str:
    """Translate a picture; return the address of its heat maps."""
    return client.post(URL + query, content=body, headers=PNG).json()["attention"]["href"]


def test_default_heat_map_is_the_overlay_of_the_translation_answer(client: TestClient) -> None:
    answer = client.post(URL, content=encoded(PICTURE), headers=PNG).json()
    response = client.get(answer["attention"]["href"])
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "private"
    assert response.headers["vary"] == "Accept"
    import base64

    assert response.content == base64.b64decode(answer["attention"]["overlay"]["data"])


@pytest.mark.parametrize("network", ["generator", "local", "global"])
def test_raw_view_answers_the_values_of_the_map(client: TestClient, network: str) -> None:
    response = client.get(f"{translated(client)}&view=raw&network={network}")
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    seen = PICTURE if network == "generator" else 255 - PICTURE
    output = "attention" if network == "generator" else f"attention_{network}"
    expected = fake_outputs(seen[None])[output][0]
    np.testing.assert_allclose(np.array(answer["values"], np.float32), expected)
    assert answer["shape"] == [4, 4]
    assert answer["kind"] == "relevance"
    assert answer["raw_min"] == pytest.approx(float(expected.min()))
    assert answer["raw_max"] == pytest.approx(float(expected.max()))


def test_base_and_view_select_the_picture_under_the_colours(client: TestClient) -> None:
    href = translated(client)
    source = client.get(f"{href}&alpha=0").content
    translation = client.get(f"{href}&alpha=0&base=translation").content
    heatmap = client.get(f"{href}&view=heatmap").content
    assert np.array_equal(pixels_of(source), PICTURE)
    assert np.array_equal(pixels_of(translation), 255 - PICTURE)
    assert client.get(f"{href}&alpha=1").content == heatmap


@pytest.mark.parametrize(("size", "shape"), [(1, (1, 1)), (64, (64, 64)), (1024, (1024, 1024))])
def test_size_sets_the_longer_side_of_a_heat_map(
    client: TestClient, size: int, shape: tuple[int, int]
) -> None:
    assert pixels_of(client.get(f"{translated(client)}&size={size}").content).shape[:2] == shape


@pytest.mark.parametrize("view", ["overlay", "heatmap"])
def test_legend_is_added_below_the_picture_on_demand(client: TestClient, view: str) -> None:
    href = f"{translated(client)}&view={view}&size=128"
    plain, with_legend = (pixels_of(client.get(href + query).content) for query in ("", "&legend=true"))
    assert with_legend.shape == (128 + legend_height(128), 128, 3)
    assert np.array_equal(with_legend[:128], plain)


def test_pictures_carry_the_values_of_their_lowest_and_highest_colour(client: TestClient) -> None:
    href = translated(client)
    raw = client.get(f"{href}&view=raw").json()
    low, high = map(float, client.get(href).headers["x-value-range"].split())
    assert (low, high) == pytest.approx((raw["raw_min"], raw["raw_max"]), rel=1e-5)


def test_heat_maps_have_no_padding(client: TestClient) -> None:
    href = translated(client, "&fit=contain", photo(20, 40))
    assert pixels_of(client.get(f"{href}&size=128").content).shape[:2] == (64, 128)


@pytest.mark.parametrize(
    ("accept", "view", "expected"),
    [
        ("*/*", "overlay", "image/png"),
        ("image/*", "overlay", "image/png"),
        ("image/webp", "heatmap", "image/webp"),
        ("image/avif,image/webp,*/*;q=0.8", "overlay", "image/webp"),
        ("image/jpeg", "overlay", "image/jpeg"),
        ("application/json", "overlay", None),
        ("image/png", "raw", None),
        ("application/*", "raw", "application/json"),
    ],
)
def test_accept_selects_the_form_of_a_heat_map(
    client: TestClient, accept: str, view: str, expected: str | None
) -> None:
    response = client.get(f"{translated(client)}&view={view}", headers={"Accept": accept})
    if expected is None:
        problem(response, 406, "not_acceptable")
    else:
        assert response.headers["content-type"] == expected


def test_matching_etag_answers_304(client: TestClient) -> None:
    href = translated(client)
    tag = client.get(href).headers["etag"]
    assert tag.startswith('"')
    for value in (tag, f'"x", W/{tag}', "*"):
        response = client.get(href, headers={"If-None-Match": value})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag
        assert response.headers["cache-control"] == "private"
    assert client.get(href, headers={"If-None-Match": '"x"'}).status_code == 200
    several_lines = [("If-None-Match", '"x"'), ("If-None-Match", tag)]
    assert client.get(href, headers=several_lines).status_code == 304


def test_etags_differ_where_the_bytes_differ(client: TestClient) -> None:
    href = translated(client)
    queries = ("", "&alpha=0.4", "&size=64", "&network=local", "&base=translation", "&colormap=gray")
    tags = {client.get(href + query).headers["etag"] for query in queries}
    tags.add(client.get(href, headers={"Accept": "image/jpeg"}).headers["etag"])
    tags.add(client.get(translated(client)).headers["etag"])
    assert len(tags) == len(queries) + 2


@pytest.mark.parametrize("id_", ["", "x", "A" * 22, "%00", "../../etc/passwd"])
def test_unknown_id_answers_404_attention_gone(client: TestClient, id_: str) -> None:
    problem(client.get(f"/attention?id={id_}"), 404, "attention_gone")


def test_missing_id_is_named(client: TestClient) -> None:
    assert "id" in problem(client.get("/attention"), 422, "missing_option")["detail"]


@pytest.mark.parametrize(
    "query", ["network=both", "view=raw2", "base=none", "alpha=-0.1", "size=0", "size=1025", "size=big"]
)
def test_invalid_heat_map_options_are_refused(client: TestClient, query: str) -> None:
    problem(client.get(f"{translated(client)}&{query}"), 422, "invalid_option")


def test_expired_translation_answers_404(make_client: MakeClient) -> None:
    client = make_client(attention_ttl_seconds=1e-9)
    problem(client.get(translated(client)), 404, "attention_gone")


def test_oldest_translations_are_dropped_at_the_limit(make_client: MakeClient) -> None:
    client = make_client(attention_max_entries=2)
    hrefs = [translated(client) for _ in range(3)]
    assert [client.get(href).status_code for href in hrefs] == [404, 200, 200]


def test_discriminators_run_once_and_only_on_request(client: TestClient, model: FakeModel) -> None:
    href = translated(client)
    before = len(model.batches)
    client.get(f"{href}&network=local")
    client.get(f"{href}&network=global")
    client.get(f"{href}&network=local&size=64")
    assert len(model.batches) == before + 2  # their canary, and the run


def test_id_in_the_path_answers_the_same_heat_map_as_in_the_query(client: TestClient) -> None:
    href = translated(client)
    by_path = f"/attention/{href.partition('=')[2]}"
    for options in ("", "network=local&base=translation&size=48&colormap=turbo&alpha=0.3", "view=heatmap"):
        for accept in ("*/*", "image/webp"):
            one = client.get(f"{href}&{options}", headers={"Accept": accept})
            other = client.get(f"{by_path}?{options}", headers={"Accept": accept})
            assert other.status_code == 200
            assert (other.content, other.headers["etag"]) == (one.content, one.headers["etag"])


def test_raw_address_answers_the_same_values_as_the_query(client: TestClient) -> None:
    href = translated(client)
    by_path = f"/attention/{href.partition('=')[2]}"
    values = client.get(f"{by_path}/raw?network=global")
    assert values.json() == client.get(f"{href}&view=raw&network=global").json()
    problem(client.get(f"{by_path}?view=raw"), 422, "invalid_option")
    problem(client.get(f"{by_path}/raw?size=9"), 422, "unknown_option")
    problem(client.get("/attention/unknown"), 404, "attention_gone")
    problem(client.get("/attention/unknown/raw"), 404, "attention_gone")


def test_repeated_option_is_refused_by_name(client: TestClient) -> None:
    href = translated(client)
    id_ = href.partition("=")[2]
    for address in (f"{href}&size=9&size=9", f"{href}&id={id_}", f"/attention/{id_}?alpha=0&alpha=1"):
        fields = problem(client.get(address), 422, "invalid_option")
        assert "got 2; keep one" in fields["detail"]
    doubled = client.post(f"{URL}&fit=cover&fit=contain", content=encoded(PICTURE), headers=PNG)
    assert "fit must occur once" in problem(doubled, 422, "invalid_option")["detail"]


@pytest.mark.parametrize("network", ["generator", "local"])
def test_part_that_the_bundle_lacks_answers_404_with_the_remedy(client: TestClient, network: str) -> None:
    response = client.get(f"{translated(client)}&network={network}&part=average")
    fields = problem(response, 404, "no_such_part")
    assert f"no part average of the {network} heat map" in fields["detail"]
    assert "part=both" in fields["detail"]
