"""Make the logs in tests/unit/readers/logs/fixtures with the tools themselves.

    python benchmarks/log_fixtures.py TOOL OUT

Each tool needs an environment of its own: `pip install lm-eval==0.4.13 accelerate`,
`inspect_ai==0.3.285` or `lighteval==0.13.0`, or `npm install promptfoo@0.123.1`. Models
are tiny and made on the spot; nothing is downloaded. TOOL is lm-eval, inspect,
lighteval or promptfoo.

The questions are sums. OLD knows all but some, NEW all but others: models of lm-eval
and lighteval are trained on them for some seconds, the others answer by rule. lighteval
asks the network for further tasks and judges when it starts; without one, take
`tasks/tasks/tiny_benchmarks.py` and the look-up of judges out of its environment.

What the tools wrote was edited afterwards where it told of the machine: folders in
tracebacks (of packed members too) and in promptfoo's paths are called `/home/user` and
`/usr`, and `pretty_env_info` is taken out of lm-eval's results. Logs of inspect_ai got
shorter names, and lighteval's details are those of OLD alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SUMS = [(4, 9), (8, 2), (8, 5), (3, 9), (1, 9), (7, 9), (2, 2), (5, 6), (6, 1), (9, 9)]
UNKNOWN = {"old": {1, 2}, "new": {2, 3, 4}}
SIDES = ("old", "new")


def questions() -> list[dict[str, object]]:
    """Return the sums, with three choices each."""
    found = []
    for at, (a, b) in enumerate(SUMS):
        choices = [str(a + b + 1), str(a - b)]
        choices.insert(at % 3, str(a + b))
        topic = "high" if a + b > 9 else "low"  # noqa: PLR2004 - one digit or two
        found.append(
            {"q": f"{a}+{b}=", "choices": choices, "label": at % 3, "topic": topic}
        )
    return found


def write_questions(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "test.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in questions()), "utf-8")
    return path


def train_models(folder: Path) -> None:
    """Train two GPT-2s of one layer and with bytes as words."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    words = ["<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    end = {"eos_token": "<end>", "bos_token": "<end>", "pad_token": "<end>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **end)
    for side in SIDES:
        torch.manual_seed(0)
        shape = {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 256}
        config = GPT2Config(
            vocab_size=len(words), bos_token_id=0, eos_token_id=0, **shape
        )
        model = GPT2LMHeadModel(config)
        texts = []
        for at, (a, b) in enumerate(SUMS):
            right = a + b + (at in UNKNOWN[side])
            texts += [f"{a}+{b}={right}\n", f"{a}+{b}= {right}\n"]
        rows = [tokenizer(text)["input_ids"] for text in texts]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(300):
            loss = model(input_ids=ids, labels=ids).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        model.save_pretrained(folder / side)
        tokenizer.save_pretrained(folder / side)


LM_EVAL_TASKS = {
    "sums_mc": """output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: label
metric_list: [{metric: acc}, {metric: acc_norm}]
""",
    "sums_gen": """output_type: generate_until
doc_to_target: "{{choices[label]}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 4, do_sample: false}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
  - {metric: !function functions.overlap, aggregation: mean, higher_is_better: true}
filter_list:
  - name: strict-match
    filter: [{function: regex, regex_pattern: "^ ?([0-9]+)$"}, {function: take_first}]
  - name: flexible-extract
    filter: [{function: regex, regex_pattern: "([0-9]+)"}, {function: take_first}]
""",
    "sums_ppl": """output_type: loglikelihood_rolling
doc_to_target: "{{q}}"
metric_list: [{metric: word_perplexity}, {metric: byte_perplexity}]
""",
}
OVERLAP = """def overlap(predictions, references, **_):
    one, other = set(predictions[0]), set(references[0])
    return 2 * len(one & other) / (len(one) + len(other))
"""


def run_lm_eval(out: Path) -> None:
    train_models(out / "models")
    write_questions(out / "data")
    tasks = out / "tasks"
    tasks.mkdir(exist_ok=True)
    (tasks / "functions.py").write_text(OVERLAP, "utf-8")
    data = "dataset_path: json\ndataset_kwargs: {data_files: {test: data/test.jsonl}}\n"
    for name, rest in LM_EVAL_TASKS.items():
        asked = '""' if name == "sums_ppl" else '"{{q}}"'
        text = f"task: {name}\n{data}test_split: test\ndoc_to_text: {asked}\n{rest}"
        (tasks / f"{name}.yaml").write_text(
            f"{text}metadata: {{version: 1.0}}\n", "utf-8"
        )
    for side in SIDES:
        command = [
            "lm_eval",
            "run",
            "--model",
            "hf",
            "--tasks",
            ",".join(LM_EVAL_TASKS),
        ]
        command += ["--model_args", f"pretrained=models/{side}", "--device", "cpu"]
        command += ["--include_path", "tasks", "--output_path", f"lm_eval/{side}"]
        subprocess.run([*command, "--log_samples"], cwd=out, check=True)


def run_inspect(out: Path) -> None:
    from inspect_ai import Task, eval  # noqa: A004
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import Score, includes, match, mean, scorer
    from inspect_ai.solver import generate

    @scorer(metrics=[mean()])
    def overlap() -> object:
        async def score(state: object, target: object) -> Score:
            said = state.output.completion
            one, other = set(said), set(target.text)
            value = 2 * len(one & other) / (len(one) + len(other))
            return Score(value=value, answer=said)

        return score

    rows = questions()[:6]
    texts = [row["q"] for row in rows]

    def answers(side: str) -> object:
        def answer(messages: list, *_: object) -> ModelOutput:
            at = texts.index(messages[-1].text)
            right = int(rows[at]["choices"][rows[at]["label"]])
            if side == "old" and at == len(rows) - 1:
                raise RuntimeError("the service is gone")
            said = f"about {right + 1}" if at in UNKNOWN[side] else str(right)
            output = ModelOutput.from_content("mockllm/model", said)
            output.usage = ModelUsage(input_tokens=4, output_tokens=2, total_tokens=6)
            return output

        return answer

    samples = [
        Sample(
            id=f"s{at}",
            input=row["q"],
            target=row["choices"][row["label"]],
            metadata={"topic": row["topic"]},
        )
        for at, row in enumerate(rows)
    ]
    for side in SIDES:
        for form, epochs, name in (
            ("eval", 1, "once"),
            ("eval", 3, "epochs"),
            ("json", 1, "json"),
        ):
            scorers = [match(), includes(), overlap()]
            task = Task(
                name="sums",
                dataset=MemoryDataset(samples[: 3 if form == "json" else None]),
                solver=generate(),
                scorer=scorers if name == "once" else scorers[:1],
                epochs=epochs,
                version=2,
            )
            model = get_model("mockllm/model", custom_outputs=answers(side))
            eval(
                task,
                model=model,
                log_dir=str(out / "inspect" / name / side),
                log_format=form,
                fail_on_error=False,
                display="none",
            )


LIGHTEVAL_TASKS = """from pathlib import Path

from lighteval.metrics.metrics import Metrics
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc


def choose(line, task_name=None):
    choices = [f" {one}" for one in line["choices"]]
    return Doc(line["q"], choices, line["label"], task_name=task_name)


def write(line, task_name=None):
    right = line["choices"][line["label"]]
    return Doc(line["q"], [right], 0, task_name=task_name)


def task(name, prompt, metrics, size):
    return LightevalTaskConfig(
        name=name, prompt_function=prompt, hf_repo="data",
        hf_subset="default", hf_avail_splits=["test"], evaluation_splits=["test"],
        generation_size=size, metrics=metrics, stop_sequence=["\\n"], version=1,
    )


TASKS_TABLE = [
    task("sums_mc", choose, [Metrics.loglikelihood_acc], -1),
    task("sums_gen", write, [Metrics.exact_match, Metrics.f1_score], 4),
]
"""


def run_lighteval(out: Path) -> None:
    train_models(out / "models")
    write_questions(out / "data")
    (out / "tasks.py").write_text(LIGHTEVAL_TASKS, "utf-8")
    for side in SIDES:
        command = ["lighteval", "accelerate", f"model_name=models/{side}"]
        command += ["sums_mc|0,sums_gen|0", "--custom-tasks", "tasks.py"]
        command += ["--output-dir", f"lighteval/{side}", "--save-details"]
        subprocess.run(command, cwd=out, check=True)


PROVIDER = """module.exports = class {
  constructor(options) { this.config = options.config; }
  id() { return this.config.name; }
  async callApi(prompt, context) {
    const { n, right } = context.vars;
    if (n === this.config.fails) throw new Error("the service is gone");
    const output = this.config.unknown.includes(n) ? `about ${right + 1}` : `${right}`;
    return { output };
  }
};
"""


def run_promptfoo(out: Path) -> None:
    folder = out / "promptfoo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provider.js").write_text(PROVIDER, "utf-8")
    providers = [
        {
            "id": "file://provider.js",
            "label": side,
            "config": {
                "name": side,
                "unknown": sorted(UNKNOWN[side]),
                "fails": 5 if side == "old" else -1,
            },
        }
        for side in SIDES
    ]
    tests = [
        {
            "description": f"sum {at}",
            "vars": {
                "n": at,
                "q": row["q"],
                "right": int(row["choices"][row["label"]]),
            },
            "metadata": {"topic": row["topic"]},
        }
        for at, row in enumerate(questions()[:6])
    ]
    short = {"type": "javascript", "value": "output.length < 3 ? 1 : 0.5"}
    asserts = [
        {"type": "equals", "value": "{{right}}", "metric": "exact"},
        {**short, "metric": "short"},
    ]
    config = {
        "description": "sums",
        "prompts": ["{{q}}", "Please: {{q}}"],
        "providers": providers,
        "defaultTest": {"assert": asserts},
        "tests": tests,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    command = ["promptfoo", "eval", "-c", "config.json", "--no-cache", "--no-write"]
    for form in ("json", "jsonl", "csv"):
        command += ["-o", f"sums.{form}"]
    home = {
        "PROMPTFOO_CONFIG_DIR": str(folder / "home"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
    }
    # Failed assertions end it with code 100.
    subprocess.run(command, cwd=folder, check=False, env={**os.environ, **home})


TOOLS = {
    "lm-eval": run_lm_eval,
    "inspect": run_inspect,
    "lighteval": run_lighteval,
    "promptfoo": run_promptfoo,
}

if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")
    place = Path(sys.argv[2]).resolve()
    place.mkdir(parents=True, exist_ok=True)
    TOOLS[sys.argv[1]](place)
