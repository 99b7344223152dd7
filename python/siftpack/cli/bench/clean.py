"""The five corpora the aims are measured on: what an agent pipeline stores on an ordinary day."""

import random
from typing import Any

WORDS = (
    "the agent reads a report and writes an answer for one user while the budget of the cluster stays under review "
    "cost memory latency region forecast savings instance storage network request summary baseline anomaly trend"
).split()


def sentence(rng: random.Random, words: int) -> str:
    """ASCII prose of so many words."""
    return " ".join(rng.choices(WORDS, k=words))


def identifier(rng: random.Random) -> str:
    """Something that looks like a UUID in text."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def small_context() -> dict[str, Any]:
    """Fifteen entries: the context one request carries."""
    rng = random.Random(1)
    return {
        "user_id": identifier(rng),
        "thread_id": identifier(rng),
        "run_id": identifier(rng),
        "request_id": identifier(rng),
        "operation": "cost_report",
        "depth": 2,
        "created_at": "2026-01-14T09:26:53.589793+00:00",
        "stream": True,
        "parent": None,
        "temperature": 0.2,
        "max_tokens": 4096,
        "locale": "en-GB",
        "tags": ["finance", "weekly", "eu-west-1"],
        "limits": {"calls": 25, "seconds": 30.0, "retry": False},
        "tier": "enterprise",
    }


def chat_run(messages: int = 60) -> dict[str, Any]:
    """A finished run: messages with roles, content, tool calls and usage."""
    rng = random.Random(2)
    return {
        "run_id": identifier(rng),
        "model": "small-2026-01",
        "messages": [_message(rng, number) for number in range(messages)],
        "usage": {"input_tokens": 18_204, "output_tokens": 2_311, "total_tokens": 20_515},
        "status": "completed",
    }


def _message(rng: random.Random, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": identifier(rng),
        "role": ("user", "assistant", "tool", "assistant")[number % 4],
        "content": sentence(rng, rng.randrange(8, 60)),
        "created": 1_768_382_813 + number,
    }
    if number % 4 == 1:
        message["tool_calls"] = [
            {
                "id": f"call_{rng.getrandbits(64):016x}",
                "type": "function",
                "function": {"name": "query_costs", "arguments": '{"region": "eu-west-1", "days": 30}'},
            }
        ]
    if number % 4 == 2:
        message["tool_call_id"] = f"call_{rng.getrandbits(64):016x}"
    if message["role"] == "assistant":
        message["usage"] = {"input_tokens": rng.randrange(4000), "output_tokens": rng.randrange(400)}
    return message


def metric_rows(rows: int = 1000) -> list[dict[str, Any]]:
    """A table as a list of dicts, the shape most tools return."""
    rng = random.Random(3)
    return [
        {
            "id": number,
            "service": rng.choice(("compute", "storage", "network", "database")),
            "region": rng.choice(("eu-west-1", "us-east-2", "ap-south-1")),
            "timestamp": 1_768_382_813 + 60 * number,
            "cpu": rng.random() * 100,
            "memory": rng.random() * 64,
            "healthy": rng.random() < 0.97,
            "note": None,
        }
        for number in range(rows)
    ]


def float_vectors(count: int = 64, width: int = 768) -> list[list[float]]:
    """Embeddings."""
    rng = random.Random(4)
    return [[rng.gauss(0.0, 0.04) for _ in range(width)] for _ in range(count)]


def long_documents(count: int = 12) -> dict[str, Any]:
    """What a retrieval step returns: a few long ASCII strings."""
    rng = random.Random(5)
    return {
        "query": sentence(rng, 9),
        "documents": [
            {"id": identifier(rng), "score": rng.random(), "text": sentence(rng, 9_000)[: 10_000 + 3_600 * number]}
            for number in range(count)
        ],
    }
