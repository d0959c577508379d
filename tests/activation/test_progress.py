"""Lines of a gate: few of them in a log while it waits, each time something changes; one in a preview."""

from pulumi_hbr_clients.activation.condition import parse
from pulumi_hbr_clients.activation.stack_gate import StackGate
from pulumi_hbr_clients.emulator import Turnover, new_rows
from tests.activation.worlds import World


def lines_of(world: World, *, preview: bool = False) -> list[tuple[int, str]]:
    """What a gate writes, each line with the second at which it came."""
    lines, gate = list[tuple[int, str]](), parse({"client_type": "ECS_CLIENT"})

    def log(text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
        assert (ephemeral, warning) == (not preview, False)
        lines.append((round(world.clock.monotonic()), text))

    async def work() -> None:
        async with world.client() as client:
            await StackGate(gate, "enforce", client).run(log, (), preview=preview)

    world.run(work())
    return lines


def test_a_minute_without_a_change(world: World) -> None:
    """At most one line in 30 s; the deadline stands in the first line only, as a clock time."""
    world.installing(2, until=60)
    lines = lines_of(world)
    assert 3 <= len(lines) <= 5
    assert ["until 2025-10-09 " in text for _, text in lines] == [True, *[False] * (len(lines) - 1)]


def test_a_change_is_reported_at_once(world: World) -> None:
    """What is waited for, not how old it is; the last line is that the gate has passed."""
    world.installing(2)
    first, second = world.instances[:2]
    world.at(10, lambda: world.backend.activate(first))
    world.at(25, lambda: world.backend.activate(second))
    lines = lines_of(world)
    assert [text.partition(" activated")[0] for _, text in lines] == ["8 of 10", "9 of 10", "10 of 10"]
    assert lines[-1][1] == "10 of 10 activated"
    assert 10 <= lines[1][0] <= 20


def test_an_outage_is_one_line(world: World) -> None:
    """However many polls fail; its end is another."""
    world.backend.next_faults += ["none", *["ServiceUnavailable"] * 8]
    world.installing(2, until=45)
    texts = [text for _, text in lines_of(world)]
    assert 1 <= len([text for text in texts if "the service does not answer" in text]) <= 2
    assert len(texts) <= 5


def test_a_gate_that_passes_at_once(world: World) -> None:
    """It writes nothing; with a list of several pages one line, while that is verified."""
    assert lines_of(world) == []
    world.backend.add(*new_rows(190, seed=3, Status="ACTIVATED"))
    assert [text.partition(";")[0] for _, text in lines_of(world)] == ["200 of 200 activated"]


def test_a_preview_of_a_list_that_cannot_be_completed(world: World) -> None:
    """The gate would wait: that is no error."""
    world.backend.add(*new_rows(240, seed=3, Status="ACTIVATED"))
    world.backend.turnover = Turnover()
    ((_, text),) = lines_of(world, preview=True)
    assert text.startswith("up will wait: ")
    assert "the list may be incomplete" in text
