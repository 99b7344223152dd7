"""Two agents as a platform has them: a reporting agent on LangGraph, an optimization agent on Pydantic AI.

Both models answer offline. Both agents return what their framework returns, with everything that is in it.
"""

import asyncio
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from siftpack.agents import ExecutionContext

API_KEY = "sk-demo-1f9c3b7a5d8e2c4f6a0b9d7e5c3a1f8b"
"""What every client here is given, and what must not be in the cache."""
THINKING = 0.02
"""Seconds that a model takes."""


class Client:
    """A client that the agents work with."""

    def __init__(self) -> None:
        self.base_url = "https://metrics.example.com"
        self.api_key = API_KEY

    def usage_of(self, user: str) -> dict[str, list[float]]:
        """What a user's services use; a lookup somewhere in earnest."""
        seed = sum(map(ord, user)) % 50
        return {"cpu_usage": [40.0 + seed, 62.5, 71.0], "memory_usage": [0.4, 0.55 + seed / 200]}


class ReportState(MessagesState):
    """The state of the reporting graph."""

    report_data: dict[str, Any]
    recommendations: list[str]
    client: Any


def reporting_graph(user: str) -> Any:
    """A graph that gathers numbers and lets a model say what they mean."""
    usage = {"input_tokens": 210, "output_tokens": 35, "total_tokens": 245}
    answer = AIMessage(f"The services of {user} are busy in the morning.", usage_metadata=usage)
    model = GenericFakeChatModel(messages=iter([answer]))

    def gather(state: ReportState) -> dict[str, Any]:
        numbers = state["client"].usage_of(user)
        return {"report_data": numbers, "recommendations": [f"move the reports of {user} to the night"]}

    async def explain(state: ReportState) -> dict[str, Any]:
        await asyncio.sleep(THINKING)
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(ReportState)
    graph.add_node("gather", gather)
    graph.add_node("explain", explain)
    graph.add_edge(START, "gather")
    graph.add_edge("gather", "explain")
    graph.add_edge("explain", END)
    return graph.compile()


async def reporting(context: ExecutionContext, question: str) -> Any:
    """The reporting agent: gives the graph's whole state, with the client in it."""
    start = {"messages": [HumanMessage(question)], "client": context.live["client"]}
    return await reporting_graph(context.user_id).ainvoke(start)


class Advice(BaseModel):
    """What the optimization agent answers."""

    optimizations: list[str]
    estimated_savings: float
    confidence_score: float


async def _advise(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    await asyncio.sleep(THINKING)
    found = str(messages[-1].parts[-1].content)  # type: ignore[union-attr]  # the prompt
    arguments = {"optimizations": [found], "estimated_savings": 120.5, "confidence_score": 0.9}
    return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, arguments)])


async def optimization(context: ExecutionContext, question: str) -> Any:  # noqa: ARG001 - what agents are called with
    """The optimization agent: works with what the reporting agent recommended."""
    agent = Agent(FunctionModel(_advise), output_type=Advice, deps_type=ExecutionContext, name="optimization")
    found = context.data["previous_results"]["reporting"]["recommendations"]
    return await agent.run(found[0], deps=context)
