#!/usr/bin/env bash
# Builds the fuzzer and lets it look at one target: Fuzz/run.sh TARGET [SECONDS]
# What it finds lands in .build/fuzz/found, new inputs in .build/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?usage: Fuzz/run.sh ext4|archive|disk|manifest [SECONDS]}
seconds=${2:-600}
build=.build/fuzz
INGOT_FUZZ=1 swift build -c release --scratch-path "$build" --product ingot-fuzz \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld -Xswiftc -enable-testing
mkdir -p "$build/found" "$build/corpus/$target" "$build/seeds/$target"
for seed in Fuzz/Corpus/"$target"/*.gz; do
  gzip -dc "$seed" > "$build/seeds/$target/$(basename "$seed" .gz)"
done
# What earlier runs found worth keeping.
if [ -e "Fuzz/Corpus/$target.tar.xz" ]; then
  tar -C "$build/corpus" -xJf "Fuzz/Corpus/$target.tar.xz"
fi
ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no exec nice "$build/release/ingot-fuzz" "$target" \
  -max_total_time="$seconds" -max_len=262144 -timeout=30 -rss_limit_mb=4096 -detect_leaks=0 \
  -print_final_stats=1 -artifact_prefix="$build/found/$target-" \
  "$build/corpus/$target" "$build/seeds/$target"
