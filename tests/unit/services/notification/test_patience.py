import pytest

from services.notification import patience
from services.notification.leaving import SlowRecipientError
from services.notification.patience import Slow

MOST = 8.0


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(patience, "monotonic", lambda: now[0])
    return now


def ask(slow, name, answers=True):
    """Return whether the server was asked, with or without an answer."""
    asked = False
    try:
        with slow.asked_about(name):
            asked = True
            if not answers:
                raise SlowRecipientError
    except SlowRecipientError:
        return asked, False
    return asked, True


def test_one_who_took_too_long_is_not_asked_about_for_a_while_and_others_are(clock):
    slow = Slow(MOST)
    assert ask(slow, "a", answers=False) == (True, False)
    clock[0] += patience.FIRST_REST - 1
    assert ask(slow, "a") == (False, False)
    assert ask(slow, "b") == (True, True)
    clock[0] += 1
    assert ask(slow, "a") == (True, True)


def test_each_time_it_is_twice_as_long_up_to_an_hour(clock):
    slow = Slow(MOST)
    for rest in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        assert ask(slow, "a", answers=False) == (True, False)
        clock[0] += rest - 1
        assert ask(slow, "a") == (False, False)
        clock[0] += 1


def test_one_of_whom_an_answer_came_begins_anew(clock):
    slow = Slow(MOST)
    for _ in range(3):
        ask(slow, "a", answers=False)
        clock[0] += patience.LONGEST_REST
    ask(slow, "a")
    ask(slow, "a", answers=False)
    clock[0] += patience.FIRST_REST
    assert ask(slow, "a") == (True, True)


def seconds(slow, name):
    """Return the seconds that the server would have to answer about `name`."""
    with pytest.raises(ConnectionError), slow.asked_about(name) as given:
        raise ConnectionError
    return given


def test_each_of_many_who_take_too_long_has_half_the_time_of_the_one_before(clock):
    slow, given = Slow(MOST), []
    for number in range(6):
        given.append(seconds(slow, str(number)))
        ask(slow, str(number), answers=False)
    assert given == [8, 4, 2, 1, 0.8, 0.8]


def test_answers_give_the_others_their_time_back(clock):
    slow = Slow(MOST)
    for number in range(6):
        ask(slow, str(number), answers=False)
    given = []
    for number in range(5):
        ask(slow, f"quick {number}")
        given.append(seconds(slow, "other"))
    assert given == pytest.approx([1.6, 3.2, 6.4, 8, 8])


def test_who_comes_long_after_them_has_all_of_it(clock):
    slow = Slow(MOST)
    for number in range(6):
        ask(slow, str(number), answers=False)
    clock[0] += patience.FIRST_REST
    assert seconds(slow, "other") == MOST


def test_another_fault_says_nothing_of_the_recipient(clock):
    slow = Slow(MOST)
    with pytest.raises(ConnectionError), slow.asked_about("a"):
        raise ConnectionError
    assert ask(slow, "a") == (True, True)


def test_who_is_not_written_to_any_more_is_forgotten(clock):
    slow = Slow(MOST)
    for number in range(100):
        ask(slow, str(number), answers=False)
    clock[0] += 2 * patience.LONGEST_REST
    ask(slow, "a", answers=False)
    assert list(slow._rests) == ["a"]
