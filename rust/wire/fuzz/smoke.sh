#!/usr/bin/env bash
# Feeds the reader and the writer of the wire crate for FUZZ_SECONDS in all (default 60), half of it each, beginning with
# the seeds beside this file. Corpora live in a temporary directory; the build, and any input that crashed, in target/fuzz.
set -euo pipefail
fuzz=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$fuzz/../../.." && pwd)/target/fuzz
seconds=${FUZZ_SECONDS:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: FUZZ_SECONDS is not a number of seconds: $seconds" >&2; exit 2; }
half=$(((seconds + 1) / 2))

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A target is named so that the flags reach the fuzzed code and no build script.
host=$(rustc -vV | sed -n 's/^host: //p')
flags=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
)
echo "fuzz: building"
env -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS="${flags[*]}" cargo build --quiet --release --locked \
    --manifest-path "$fuzz/Cargo.toml" --target "$host" --target-dir "$build"

executions=0
for name in read write; do
    log=$scratch/$name.log
    mkdir -p "$scratch/$name" "$build/crashes"
    code=0
    (cd "$scratch" && "$build/$host/release/$name" "$scratch/$name" "$fuzz/seeds/$name" \
        -max_total_time="$half" -max_len=1024 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-") </dev/null >"$log" 2>&1 || code=$?
    if [ "$code" -ne 0 ]; then
        tail -n 60 "$log"
        echo "fuzz: $name FAILED ($code)"
        exit 1
    fi
    grep -q 'inline 8-bit counters' "$log" || { echo "fuzz: $name was built without coverage"; exit 1; }
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    covered=$(sed -nE 's/.* cov: ([0-9]+) .*/\1/p' "$log" | sed -n '1p;$p' | paste -sd ' ' | sed 's/ / to /')
    echo "fuzz: $name: $count executions, $rate a second, coverage $covered"
    [ "${count:-0}" -gt 0 ] || { echo "fuzz: $name ran nothing"; exit 1; }
    executions=$((executions + count))
done
echo "fuzz: $executions executions, 0 crashes"
