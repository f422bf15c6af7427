#!/bin/sh
# What the writer writes keeps to the schema, at every level of redaction.
set -eu
sample=$1
sample_tls=$2
python=$3
schema=$4
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for level in secrets none all; do
    "$sample" "$dir/$level.jsonl" "$level"
    "$python" "$here/validate.py" "$schema" "$dir/$level.jsonl"
done
if grep -c c2VjcmV0 "$dir/secrets.jsonl" "$dir/all.jsonl"; then exit 1; fi
if grep -c -e 'alice@' -e 'bob@' "$dir/all.jsonl"; then exit 1; fi
grep -q c2VjcmV0 "$dir/none.jsonl"
"$sample_tls" "$dir/tls.jsonl"
"$python" "$here/validate.py" "$schema" "$dir/tls.jsonl"
