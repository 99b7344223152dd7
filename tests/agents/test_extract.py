"""``extract`` by its generic rules: any result of any shape gives its data, its ending and what is said of the run."""

import dataclasses
import datetime as dt
import enum
import json
import threading
from typing import Any, NamedTuple
from unittest.mock import MagicMock

import pytest

from siftpack import JSON, Kind, PolicyError, packb, sanitize
from siftpack.agents import AgentResult, ExecutionContext, Found, Status, extract
from siftpack.cache import Cache
from tests.agents.results import KEY, OPTIMIZATION, REPORTING, Agent, Answer, Usage, machinery
from tests.named import named

METADATA = {"timestamp", "processing_time", "usage", "version"}


@pytest.fixture
def context() -> ExecutionContext:
    return ExecutionContext("ada", "t-1", "r-1", "q-1")


@pytest.mark.parametrize("business", [REPORTING, OPTIMIZATION], ids=["reporting", "optimization"])
def test_every_business_key_is_kept(business: dict[str, Any], context: ExecutionContext) -> None:
    """Reporting and optimization results keep every key and value, whatever machinery stands beside them."""
    made = extract({**business, **machinery()}, context, agent_name="worker")
    assert made.result_data == business
    assert made.ok
    assert {finding.path for finding in made.report} == {f"$.{name}" for name in machinery()}


def test_the_target_shape(context: ExecutionContext) -> None:
    """A result is plain data under the names that callers know, and its metadata always has the same four keys."""
    made = extract({"report": "r"}, context, agent_name="reporter").to_dict()
    assert made["metadata"].keys() == METADATA
    assert dt.datetime.fromisoformat(made["metadata"].pop("timestamp")).tzinfo is dt.UTC
    assert made == {
        "status": "completed",
        "agent_name": "reporter",
        "user_id": "ada",
        "thread_id": "t-1",
        "run_id": "r-1",
        "request_id": "q-1",
        "result_data": {"report": "r"},
        "metadata": {"processing_time": None, "usage": None, "version": None},
        "error": None,
    }


def test_what_is_said_of_the_run_is_metadata(context: ExecutionContext) -> None:
    """Usage, timings, versions and the ids of the run are in the metadata or their own fields, and not in the data."""
    made = extract(
        {
            "status": "success",
            "recommendations": ["r"],
            "usage": {"total_tokens": 3},
            "processing_time": 1.5,
            "version": "2.1",
            "run_id": "r-1",
            "metadata": {"model": "m", "timestamp": "2024-05-01T00:00:00+00:00"},
        },
        context,
    )
    assert made.result_data == {"recommendations": ["r"]}
    assert made.metadata == {
        "usage": {"total_tokens": 3},
        "processing_time": 1.5,
        "version": "2.1",
        "model": "m",
        "timestamp": "2024-05-01T00:00:00+00:00",
    }
    assert (made.status, made.run_id) == ("completed", "r-1")


@pytest.mark.parametrize("name", ["usage", "token_usage", "usage_metadata", "_usage", "llm_usage"])
def test_usage_under_its_many_names(name: str) -> None:
    """A record of usage is found under each of the names that frameworks have for it."""
    made = extract({"answer": 1, name: Usage()})
    assert made.metadata["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    assert made.result_data == {"answer": 1}


def test_ids_of_others_are_business_data(context: ExecutionContext) -> None:
    """A result that speaks of another user does not become theirs, and what it says is kept."""
    made = extract({"user_id": "bob", "balance": 3}, context)
    assert made.user_id == "ada"
    assert made.result_data == {"user_id": "bob", "balance": 3}


def test_an_envelope_of_others_keeps_to_itself(context: ExecutionContext) -> None:
    """A whole result with another's ids is this context's; what it claimed is in the metadata."""
    made = extract({"status": "completed", "user_id": "bob", "result_data": {"a": 1}, "metadata": {}}, context)
    assert (made.user_id, made.result_data) == ("ada", {"a": 1})
    assert made.metadata["reported_ids"] == {"user_id": "bob"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((word, "completed") for word in ("completed", "SUCCESS", "ok", "Done", True, 200)),
        *((word, "failed") for word in ("failed", "ERROR", "Status.FAILED", False, 500, "rejected")),
        *(("timed out", "timeout"), ("canceled", "cancelled"), ("in-progress", "pending"), ("truncated", "partial")),
        *(("requires_action", "interrupted"), ("shipped", "unknown"), (1, "unknown"), (0, "unknown")),
    ],
)
def test_reported_endings(word: Any, status: str) -> None:
    """What a result says of its end is taken at its word, in every spelling, and an unknown word is no success."""
    made = extract({"status": word, "data": 1})
    assert made.status == status
    assert made.ok is (status == "completed")
    assert ("reported_status" in made.metadata) is (status == "unknown")


@pytest.mark.parametrize(
    "result",
    [
        {"error": "no model"},
        {"error": {"type": "RateLimit", "message": "slow down"}},
        {"status": "completed", "error": "no model"},
        {"success": False},
        {"ok": False, "status": "done"},
        {"is_error": True},
        {"errors": ["one"]},
        {"error": ValueError("no model")},
    ],
    ids=repr,
)
def test_a_failed_result_is_never_a_success(result: Any) -> None:
    """An error, a flag or a list of errors makes a failure, even beside a status that says otherwise."""
    made = extract({**result, "partial": 1})
    assert made.status == "failed"
    assert not made.ok
    assert made.result_data["partial"] == 1


def test_nothing_of_a_result_is_lost_on_the_way() -> None:
    """What would take another's place stays under its own name, and an error's further words are kept."""
    made = extract(
        {
            "usage": {"total_tokens": 1},
            "token_usage": {"total_tokens": 2},
            "version": "2",
            "agent_version": "3",
            "metadata": {"version": "1", 7: "seven"},
            "error": {"type": "RateLimit", "message": "slow down", "retry_after": 30},
        }
    )
    assert made.result_data == {"token_usage": {"total_tokens": 2}, "version": "2", "agent_version": "3"}
    assert (made.metadata["usage"], made.metadata["version"]) == ({"total_tokens": 1}, "1")
    assert made.metadata[7] == "seven"  # type: ignore[index]  # any key of theirs
    assert made.error == {"type": "RateLimit", "message": "slow down"}
    assert made.metadata["error_details"] == {"retry_after": 30}
    key = extract({"error": ValueError(f"bad key {KEY}")})
    assert key.error == {"type": "ValueError", "message": "(left out: it may hold a secret)"}
    assert KEY not in str(key.to_dict())


def test_no_error_is_no_failure() -> None:
    """Fields for errors that are empty, and flags that say yes, leave a success one."""
    for result in (
        {"error": None},
        {"error": ""},
        {"error": 0},
        {"errors": []},
        {"success": True},
        {"is_error": False},
    ):
        assert extract({**result, "a": 1}).ok


def test_errors_have_a_type_and_a_message() -> None:
    """An exception is a failure by type and message; its cause, arguments and traceback are not there."""
    made = extract(ValueError("no such host", Agent()))
    assert (made.status, made.error) == ("failed", {"type": "ValueError", "message": "no such host"})
    assert extract({"error": {"code": "E7", "message": "slow"}}).error == {"type": "E7", "message": "slow"}


@pytest.mark.parametrize("result", [ValueError(f"Incorrect API key provided: {KEY}"), {"error": f"bad key {KEY}"}])
def test_messages_show_no_secrets(result: Any) -> None:
    """A message that holds what looks like a key is withheld."""
    made = extract(result)
    assert made.status == "failed"
    assert KEY not in str(made.to_dict())


def test_a_result_that_holds_its_own_agent_and_context(context: ExecutionContext) -> None:
    """Agent, context and module inside a result are left out by path; the business data is exact."""

    @dataclasses.dataclass
    class Report:
        report: str
        sections: list[Any]
        agent: Any
        context: ExecutionContext
        usage: Usage
        status: enum.Enum

    ending = enum.Enum("ending", {"DONE": "done"}).DONE
    given = Report("text", [1, (2, {3})], Agent(), context, Usage(), ending)
    made = extract(given, context)
    assert made.result_data == {"report": "text", "sections": [1, (2, {3})], "context": context.snapshot()}
    assert made.metadata["usage"]["total_tokens"] == 18
    assert made.ok
    assert [(finding.path, finding.kind) for finding in made.report] == [("$.agent", Kind.AGENT)]
    assert made.raw is given


def test_a_framework_nobody_knows() -> None:
    """Text in underscore fields of plain classes, usage in a nested record: all there; key, agent and cycle are not."""
    given = Answer("It ships tomorrow.")
    made = extract(given)
    assert made.result_data == {
        "_messages": [
            {"_role": "assistant", "_content": [{"text": "It ships tomorrow."}], "_meta": {"finish": "stop"}}
        ],
        "_answer": "It ships tomorrow.",
        "_api_key": made.result_data["_api_key"],
        "client": made.result_data["client"],
    }
    assert made.metadata["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    assert KEY not in str(made.to_dict())
    assert KEY.encode() not in packb(made.to_dict())
    found = {finding.path: finding.kind for finding in made.report}
    assert found == {
        "$._agent": Kind.AGENT,
        "$._back": Kind.WEAKREF,
        "$._itself": Kind.CYCLE,
        "$._api_key": Kind.SECRET,
        "$.client.api_key": Kind.SECRET,
        "$.client._secret_key": Kind.SECRET,
    }


def test_a_result_with_a_method_of_execution() -> None:
    """A result whose class could be taken for an agent is read all the same, since it is what came back."""

    class Resumable:
        def __init__(self) -> None:
            self.answer, self._token, self.lock = "a", KEY, threading.Lock()

        def run(self) -> None: ...

    made = extract(Resumable())
    assert made.result_data["answer"] == "a"
    assert KEY not in str(made.to_dict())
    assert {finding.path for finding in made.report} == {"$._token", "$.lock"}


def test_records_of_every_library() -> None:
    """pydantic, attrs, msgspec, namedtuple and dataclass results give their fields, underscore fields among them."""
    import attrs
    import msgspec
    import pydantic

    class Model(pydantic.BaseModel, arbitrary_types_allowed=True, extra="allow"):
        report: str
        hidden: str = pydantic.Field("h", exclude=True)
        agent: Any = None

    @attrs.define
    class Attrs:
        report: str
        _note: str
        agent: Any

    class Struct(msgspec.Struct):
        report: str
        agent: Any

    class Named(NamedTuple):
        report: str
        agent: Any

    @dataclasses.dataclass(slots=True)
    class Slotted:
        report: str
        _text: str
        agent: Any

    agent = Agent()
    assert extract(Model(report="r", agent=agent, more=1)).result_data == {"report": "r", "more": 1}
    assert extract(Attrs("r", "n", agent)).result_data == {"report": "r", "_note": "n"}
    assert extract(Struct("r", agent)).result_data == {"report": "r"}
    assert extract(Slotted("r", "t", agent)).result_data == {"report": "r", "_text": "t"}
    named = extract(Named("r", agent))
    assert named.result_data == {"report": "r"}
    assert [(finding.path, finding.kind) for finding in named.report] == [("$.agent", Kind.AGENT)]


@pytest.mark.parametrize("value", ["text", 7, 2.5, None, True, [1, "a"], (1,), {1, 2}, b"raw", dt.date(2024, 2, 29)])
def test_what_is_no_dict_is_the_output(value: Any) -> None:
    """A plain value is the result under ``output``, type for type."""
    made = extract(value)
    assert made.result_data == {"output": value}
    assert type(made.result_data["output"]) is type(value)
    assert made.ok


@pytest.mark.parametrize("value", [MagicMock(), len, threading.Lock(), (n for n in ()), Agent], ids=named)
def test_machinery_is_no_result(value: Any) -> None:
    """An agent that returns a mock, a function or a generator has failed, and the error says what it gave."""
    made = extract(value)
    assert made.status == "failed"
    assert "not data" in made.error["message"]  # type: ignore[index]
    assert made.raw is value


def test_data_is_isolated() -> None:
    """Changing what came out changes nothing in what the agent returned, nor the other way round."""
    given = {"rows": [[1]]}
    made = extract(given)
    made.result_data["rows"][0].append(2)
    given["rows"].append([3])
    assert (given["rows"], made.result_data["rows"]) == ([[1], [3]], [[1, 2]])


def test_extracting_again_changes_nothing(context: ExecutionContext) -> None:
    """A result's dict gives the same result, and a result is itself, with the ids of the context it is given."""
    made = extract(
        {**REPORTING, "usage": {"total_tokens": 3}, "status": "failed", "error": "e"}, context, agent_name="a"
    )
    assert extract(made.to_dict(), context).to_dict() == made.to_dict()
    assert extract(made.to_dict()).to_dict() == made.to_dict()
    assert extract(made) == made
    assert extract(made).raw is made.raw
    other = extract(made, ExecutionContext("bob", "t", "r", "q"))
    assert (other.user_id, other.result_data) == ("bob", made.result_data)


def test_a_result_past_all_bounds_has_failed() -> None:
    """A shared-reference bomb is a failed result, in no time, and nothing raises."""
    bomb: Any = []
    for _ in range(64):
        bomb = [bomb, bomb]
    made = extract({"bomb": bomb})
    assert made.status == "failed"
    assert made.error["type"].endswith("LimitExceeded")  # type: ignore[index]


class Theirs:
    """A result of a user's own framework."""

    def __init__(self, words: str) -> None:
        self.said, self.cost, self.session = words, 3, threading.Lock()


class TheirsToo(Theirs):
    """A subclass of it."""


def test_an_adapter_in_five_lines() -> None:
    """A registered function reads a class and its subclasses; what it gives is taken apart and sifted."""

    @extract.register(Theirs)
    def read(result: Theirs) -> dict[str, Any]:
        return {"output": result.said, "usage": {"total_tokens": result.cost}, "session": result.session}

    made = extract(TheirsToo("hello"))
    assert (made.result_data, made.metadata["usage"]) == ({"output": "hello"}, {"total_tokens": 3})
    assert {finding.path for finding in made.report} == {"$.session", "$.result_data.session"}

    @extract.register(TheirsToo)
    def failing(result: TheirsToo) -> Found:
        return Found(result.said, {"version": "2"}, Status.PARTIAL, agent_name="theirs")

    made = extract(TheirsToo("hello"))
    assert (made.status, made.result_data, made.agent_name) == ("partial", {"output": "hello"}, "theirs")
    assert made.metadata["version"] == "2"


def test_an_adapter_that_raises_is_a_failed_result() -> None:
    """A registered function that raises costs that result and no more."""

    class Broken: ...

    @extract.register(Broken)
    def read(result: Broken) -> dict[str, Any]:
        raise KeyError("nothing")

    made = extract(Broken())
    assert (made.status, made.error) == ("failed", {"type": "KeyError", "message": "nothing"})
    with pytest.raises(PolicyError):
        extract.register(Broken())  # type: ignore[arg-type]


def test_the_original_is_never_written(context: ExecutionContext) -> None:
    """What the agent returned is at hand and in no bytes, no dict, no copy and no pickle of the result."""
    import copy
    import pickle

    given = {"report": "r", "client": Agent().client}
    made = extract(given, context)
    assert made.raw is given
    for clean in (sanitize(made), made.to_dict(), sanitize(made, policy=JSON)):
        assert KEY not in str(clean)
        assert "raw" not in clean
    assert KEY.encode() not in packb(made)
    assert KEY.encode() not in pickle.dumps(made)
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), copy.copy(made)):
        assert twin == made
        assert twin.raw is None
        assert twin.report == made.report
    assert "Client" not in repr(made)
    json.dumps(sanitize(made.to_dict(), policy=JSON))


def test_a_listed_result_comes_back_as_itself(context: ExecutionContext) -> None:
    """A cache that lists the class gives a result back as one."""
    made = extract({**REPORTING, **machinery()}, context, agent_name="reporter")
    with Cache(types=(AgentResult,)) as cache:
        user = cache.for_user("ada")
        assert user.set("r", made)
        back = user.get("r")
    assert type(back) is AgentResult
    assert back == made
    assert (back.raw, back.cached, back.report.clean) == (None, False, True)


def test_a_result_from_data_is_checked() -> None:
    """``from_dict`` takes what ``to_dict`` gives and refuses everything else."""
    made = extract({"a": 1})
    assert AgentResult.from_dict(made.to_dict()) == made
    for wrong in ({}, {"status": 1, "result_data": {}, "metadata": {}}, [], {**made.to_dict(), "user_id": 7}):
        with pytest.raises(ValueError, match="to_dict"):
            AgentResult.from_dict(wrong)
