"""LangGraph and langchain-core, with a fake chat model."""

from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt
from openai import OpenAI

from siftpack.agents import extract
from siftpack.policy import Kind
from tests.frameworks.suite import KEY, FrameworkSuite, Scene


class Model(GenericFakeChatModel):
    """A model that carries its key as many do."""

    openai_api_key: str = KEY


@tool
def track(order: str) -> str:
    """Say where an order is."""
    return f"{order} is in Lyon"


class Callback(BaseCallbackHandler):
    """A callback with a key."""

    def __init__(self) -> None:
        self.api_key = KEY


class State(MessagesState):
    """A state with a report beside the messages."""

    report: dict[str, Any]


def answers() -> Any:
    """Two answers again and again, the first of which asks for a tool."""
    while True:
        call = {"name": "track", "args": {"order": "A-17"}, "id": "call-1"}
        usage = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
        yield AIMessage("", tool_calls=[call], usage_metadata=usage, id="m-1")
        told = {"model_name": "fake-1", "finish_reason": "stop"}
        more = {"input_tokens": 20, "output_tokens": 8, "total_tokens": 28, "input_token_details": {"cache_read": 4}}
        yield AIMessage("It ships tomorrow.", usage_metadata=more, id="m-2", response_metadata=told)


def graph(model: Any, **options: Any) -> Any:
    """A graph that asks the model, runs the tool, asks again and writes a report."""

    def ask(state: State) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    def act(state: State) -> dict[str, Any]:
        call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]
        return {"messages": [ToolMessage(track.invoke(call["args"]), tool_call_id=call["id"])]}

    def report(state: State) -> dict[str, Any]:
        return {"report": {"next_steps": ["wait"], "lines": len(state["messages"])}}

    made = StateGraph(State)
    for name, node in (("ask", ask), ("act", act), ("answer", ask), ("report", report)):
        made.add_node(name, node)
    for start, end in ((START, "ask"), ("ask", "act"), ("act", "answer"), ("answer", "report"), ("report", END)):
        made.add_edge(start, end)
    return made.compile(**options)


class TestLangGraph(FrameworkSuite):
    """LangGraph."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """A graph's final state."""
        model, saver = Model(messages=answers()), InMemorySaver()
        made = graph(model, checkpointer=saver)
        config = {"configurable": {"thread_id": "t"}}
        result = made.invoke({"messages": [HumanMessage("Where is my order?", id="m-0")]}, config)
        return Scene(
            result=result,
            context={
                "graph": made,
                "model": model,
                "client": OpenAI(api_key=KEY),
                "tool": track,
                "callback": Callback(),
                "saver": saver,
                "chain": model | (lambda message: message.content),
            },
            output="It ships tomorrow.",
            usage={
                "input_tokens": 32,
                "output_tokens": 13,
                "total_tokens": 45,
                "input_token_details": {"cache_read": 4},
            },
            ids={
                "message_ids": ["m-0", "m-1", result["messages"][2].id, "m-2"],
                "tool_call_ids": ["call-1"],
                "model": "fake-1",
            },
            agent=lambda: graph(Model(messages=answers())),
            question={"messages": [HumanMessage("Where is my order?", id="m-0")]},
            words=("It ships tomorrow.", "A-17 is in Lyon", "Where is my order?", "next_steps"),
        )

    def test_every_key_of_the_state_is_kept(self, scene: Scene) -> None:
        """The keys of the state stay under their names, beside the output."""
        made = extract(scene.result)
        assert made.result_data["report"] == {"next_steps": ["wait"], "lines": 4}
        assert [each["content"] for each in made.result_data["messages"]][-1] == "It ships tomorrow."

    def test_what_a_state_holds_beside_its_messages(self) -> None:
        """A client in the state, a callback that a tool gave and a function among data leave it, and nothing else."""

        class Holding(State):
            client: Any

        def act(state: Holding) -> dict[str, Any]:
            said = ToolMessage("A-17 is in Lyon", tool_call_id="call-1", artifact={"by": Callback(), "at": "Lyon"})
            return {"messages": [said], "report": {"lines": 1, "score": len}}

        made = StateGraph(Holding)
        made.add_node("act", act)
        made.add_edge(START, "act")
        found = extract(made.compile().invoke({"messages": [], "client": OpenAI(api_key=KEY)}))
        assert {each.path: each.kind for each in found.report} == {
            "$.client": Kind.CONNECTION,
            "$.messages[0].artifact.by": Kind.AGENT,
            "$.report.score": Kind.FUNCTION,
        }
        assert found.result_data["report"] == {"lines": 1}
        assert found.result_data["messages"][0]["artifact"] == {"at": "Lyon"}
        assert KEY not in str(found.to_dict())

    def test_a_structured_response_is_the_output(self) -> None:
        """Where the state has a structured response, that is the output."""
        state = {"messages": [AIMessage("text")], "structured_response": {"sections": [1]}}
        assert extract(state).result_data["output"] == {"sections": [1]}

    def test_messages_alone(self) -> None:
        """One message is a result: its text, of blocks too, its usage, and whether it was cut short."""
        message = AIMessage([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], id="m")
        made = extract(message)
        assert (made.result_data["output"], made.metadata["message_ids"], made.ok) == ("ab", ["m"], True)
        cut = extract(AIMessage("a", response_metadata={"finish_reason": "length"}))
        assert cut.status == "partial"

    def test_a_graph_that_waits_for_somebody(self) -> None:
        """An interrupted run is ``interrupted``, and no success."""

        class Asked(TypedDict):
            question: str

        def wait(state: Asked) -> dict[str, Any]:
            return {"question": interrupt("May I?")}

        made = StateGraph(Asked)
        made.add_node("wait", wait)
        made.add_edge(START, "wait")
        config: Any = {"configurable": {"thread_id": "t"}}
        found = extract(made.compile(checkpointer=InMemorySaver()).invoke({"question": "q"}, config))
        assert (found.status, found.ok) == ("interrupted", False)
