"""The public words of ``siftpack.agents``."""

import subprocess
import sys

import pytest

from siftpack import agents

NAMES = {
    *("AgentPipeline", "AgentResult", "ExecutionContext", "Found", "PipelineEvent", "PipelineResult", "Status"),
    *("execute_agent_pipeline", "execute_agent_pipeline_sync", "extract"),
}


def test_public_names() -> None:
    """``siftpack.agents.__all__`` is exactly the words of the documentation, and each is there and documented."""
    assert set(agents.__all__) == NAMES
    assert all(getattr(agents, name).__doc__ for name in NAMES)


@pytest.mark.parametrize(
    "work", ["pass", "extract({'messages': [1], 'usage': {}}); ExecutionContext.of({'user_id': 'u'})"]
)
def test_no_framework_is_ever_imported(work: str) -> None:
    """Neither the import nor an extraction loads a framework, a client, or an adapter for one."""
    roots = "langchain_core langgraph agents openai pydantic_ai crewai autogen_agentchat llama_index google smolagents"
    program = (
        f"import sys; from siftpack.agents import *; {work};"
        f" print(*[m for m in sys.modules if m.partition('.')[0] in {roots.split()!r} or m.startswith("
        "'siftpack.agents.frameworks.') and not m.endswith('.call') or m in ('redis', 'pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
