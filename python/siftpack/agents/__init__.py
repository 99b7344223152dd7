"""Agents: contexts copied safely, the business result of a run, and the run that can be cached.

``ExecutionContext`` keeps a run's data apart from what it works with, ``extract`` gives the result of whatever an agent
returned as an ``AgentResult``, ``execute_agent_pipeline`` puts both in front of a cache, and ``AgentPipeline`` runs
several agents in order. No agent framework is imported here: those that the program uses are recognised.
"""

from siftpack.agents.chain import AgentPipeline, PipelineEvent, PipelineResult
from siftpack.agents.context import ExecutionContext
from siftpack.agents.extract import Found, extract
from siftpack.agents.pipeline import execute_agent_pipeline, execute_agent_pipeline_sync
from siftpack.agents.result import AgentResult, Status

__all__ = [
    "AgentPipeline",
    "AgentResult",
    "ExecutionContext",
    "Found",
    "PipelineEvent",
    "PipelineResult",
    "Status",
    "execute_agent_pipeline",
    "execute_agent_pipeline_sync",
    "extract",
]
