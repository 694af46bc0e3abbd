"""Test a study without HTTP: its order, its votes, its database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from app.study.database import reading_database
from app.study.errors import StudyError
from app.study.models import StudyModel
from app.study.order import Order
from app.study.prepare import prepare
from app.study.results import results_of, table_csv, votes_csv
from app.study.study import Study, UnknownChoice, UnknownParticipant, UnknownPicture
from app.study.translate import ShownSize, open_models, translate_picture
from models.bundle.directory import read_bundle
from models.bundle.style_codes import draw_style
from tests.fake_engine import FAKE_SIZE, FAKE_STYLE, FakeModel, fake_outputs, write_fake_bundle
from tests.photos import pixels_of
from tests.study.making import open_model, open_study, plan_of, recognise, write_models, write_pictures


def no_models() -> Never:
    raise AssertionError("every translation is in the database already")


def chosen_models(study: Study, token: str, place: int) -> list[str]:
    return [recognise(study.image(token, place, choice)) for choice in (1, 2, 3)]


def test_order_is_random_but_the_same_on_every_visit() -> None:
    order, again, other = Order(b"secret"), Order(b"secret"), Order(b"another")
    participants = [f"p{number}" for number in range(300)]
    firsts = Counter(order.of_models(each, 4, 3)[0] for each in participants)
    assert all(70 < count < 130 for count in firsts.values())
    for each in participants[:20]:
        assert order.of_models(each, 4, 3) == again.of_models(each, 4, 3)
        assert sorted(order.of_pictures(each, 50)) == list(range(50))
    assert len({tuple(order.of_pictures(each, 50)) for each in participants}) == 300
    assert order.of_pictures("p1", 50) != other.of_pictures("p1", 50)


def test_models_are_in_another_order_for_another_picture_or_participant(tmp_path: Path) -> None:
    study = open_study(tmp_path, pictures=8)
    tokens = [study.begin() for _ in range(4)]
    orders = {tuple(chosen_models(study, token, place)) for token in tokens for place in range(1, 9)}
    assert all(sorted(order) == ["bright", "dark", "middle"] for order in orders)
    assert len(orders) > 3


def test_choice_is_counted_for_the_model_that_was_shown(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    for place in range(1, 6):
        study.vote(token, place, chosen_models(study, token, place).index("middle") + 1)
    with reading_database(tmp_path / "study.db") as database:
        results = results_of(database)
    assert (results.rows[0].model, results.rows[0].votes) == ("middle-cat2dog", 5)
    assert (results.participants, results.complete) == (1, 1)


def test_second_vote_replaces_the_first(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    assert study.chosen(token, 2) is None
    for choice in (3, 1, 1):
        assert study.vote(token, 2, choice).votes == 1
        assert study.chosen(token, 2) == choice
    with reading_database(tmp_path / "study.db") as database:
        assert len(database.votes()) == 1


def test_database_itself_refuses_a_second_vote_row(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    study.vote(study.begin(), 1, 1)
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            connection.execute("INSERT INTO votes SELECT participant, picture, 0, voted FROM votes")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_progress_leads_to_the_first_picture_without_a_vote(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    assert study.progress(token) == (5, 0, 1)
    study.vote(token, 2, 1)
    study.vote(token, 1, 1)
    assert study.progress(token) == (5, 2, 3)
    for place in (3, 4, 5):
        study.vote(token, place, 2)
    assert study.progress(token) == (5, 5, None)


def test_unknown_participants_pictures_and_choices_are_refused(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    for other in ("", "x" * 22, token[:-1], token + "a"):
        with pytest.raises(UnknownParticipant):
            study.progress(other)
    for place in (0, 6, -1):
        with pytest.raises(UnknownPicture):
            study.vote(token, place, 1)
    for choice in (0, 4):
        with pytest.raises(UnknownChoice):
            study.vote(token, 1, choice)
        with pytest.raises(UnknownChoice):
            study.image(token, 1, choice)


def test_images_of_a_picture_have_one_length_one_size_and_no_metadata(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    for place in range(1, 6):
        images = [study.image(token, place, choice) for choice in (None, 1, 2, 3)]
        assert len({len(image) for image in images}) == 1
        assert len({image[:20] for image in images}) == 1
        assert not any(
            name in image for image in images for name in (b"dark", b"bright", b"cat2dog", b"Exif")
        )


def test_restart_keeps_votes_and_translates_nothing_again(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    study.vote(token, 1, 2)
    study.close()
    models, pictures = write_models(tmp_path / "models"), tmp_path / "pictures"
    again = Study(prepare(tmp_path / "study.db", plan_of(models[::-1], pictures), no_models, lambda *_: None))
    assert again.chosen(token, 1) == 2
    assert again.progress(token).votes == 1


def test_interrupted_preparation_continues_where_it_stopped(tmp_path: Path) -> None:
    plan = plan_of(write_models(tmp_path / "models"), write_pictures(tmp_path / "pictures"))
    seen: list[int] = []

    def interrupt(done: int, total: int) -> None:
        seen.append(done)
        assert total == 5
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "study.db", plan, open_model, interrupt)
    prepare(tmp_path / "study.db", plan, open_model, interrupt).close()
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("models", "holds a study of other bundles .*dark-cat2dog"),
        ("pictures", "holds a study of 5 other pictures than the 6 given"),
        ("question", "holds a study with the question 'Which picture is the best translation to dog"),
    ],
)
def test_database_of_another_study_is_refused(tmp_path: Path, change: str, sentence: str) -> None:
    open_study(tmp_path).close()
    models, pictures = write_models(tmp_path / "models"), tmp_path / "pictures"
    if change == "models":
        models = models[:2]
    if change == "pictures":
        write_pictures(pictures, 6)
    plan = plan_of(models, pictures, "Why?" if change == "question" else None)
    with pytest.raises(StudyError, match=sentence):
        prepare(tmp_path / "study.db", plan, no_models, lambda *_: None)


def test_results_say_places_ties_and_unequal_numbers(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    first, second = study.begin(), study.begin()
    for token, wanted in ((first, ["dark"] * 5), (second, ["bright", "dark"])):
        for place, model in enumerate(wanted, start=1):
            study.vote(token, place, chosen_models(study, token, place).index(model) + 1)
    with reading_database(tmp_path / "study.db") as database:
        results, votes = results_of(database), votes_csv(database)
    assert [(row.place, row.votes) for row in results.rows] == [(1, 6), (2, 1), (3, 0)]
    assert results.first is not None
    assert results.first.p == pytest.approx(15 / 3**7)  # 6 or 7 of 7: 7 x 2 + 1 of 3^7
    assert results.first.p_of_any == pytest.approx(3 * 15 / 3**7)
    assert (results.participants, results.complete, results.most) == (2, 1, 2)
    assert table_csv(results).splitlines()[0] == "place,model,version,votes,share,low,high"
    assert len(votes.splitlines()) == 8
    assert first not in votes


def test_shared_first_place_is_no_first_place(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    token = study.begin()
    for place, model in ((1, "dark"), (2, "bright")):
        study.vote(token, place, chosen_models(study, token, place).index(model) + 1)
    with reading_database(tmp_path / "study.db") as database:
        results = results_of(database)
    assert [row.place for row in results.rows] == [1, 1, 3]
    assert results.first is not None
    assert sorted(name.split("-")[0] for name in results.first.models) == ["bright", "dark"]


def test_model_with_styles_is_shown_in_the_style_of_seed_0(tmp_path: Path) -> None:
    bundle = write_fake_bundle(tmp_path, styles=True)
    pictures = write_pictures(tmp_path / "pictures", 1, size=FAKE_SIZE)
    described = StudyModel("munit", "1", "cat", "dog", read_bundle(bundle).manifest.image, bundle)
    (opened,) = open_models([described], FakeModel().open)
    images = dict(translate_picture(pictures / "0.png", {1: opened}, ShownSize(FAKE_SIZE, FAKE_SIZE)))
    source = pixels_of((pictures / "0.png").read_bytes())
    expected = fake_outputs(source[None], draw_style(0, FAKE_STYLE)[None])["image"][0]
    assert np.abs(pixels_of(images[1]).astype(int) - expected).mean() < 4  # JPEG
