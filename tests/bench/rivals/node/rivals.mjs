// The rivals on Node: reads one JSON object a line, answers each with one, and keeps the clock itself.
//
// First the rules ({logic, rules, fact, fallback}), then runs ({engine, form, patients, warmUp}; patients are JSON texts),
// each answered with {seconds, dispositions}. A fault ends the process.

import { createInterface } from 'node:readline';
import { LogicEngine } from 'json-logic-engine';
import jsonRulesEngine from 'json-rules-engine';

function jsonRules({ rules, fact, fallback }) {
  // Its own resolver reads paths with a JSONPath library, which doubles the time.
  const engine = new jsonRulesEngine.Engine(rules, { pathResolver: (object, path) => object[path] });
  let found;
  engine.on('success', (event) => {
    found ??= event.type;
    engine.stop();
  });
  return async (patient) => {
    found = undefined;
    await engine.run({ [fact]: patient });
    return found ?? fallback;
  };
}

// A loop for each, so that the one that is not asynchronous pays for no promise.
function runNow(decide, patients) {
  const dispositions = [];
  const start = process.hrtime.bigint();
  for (const patient of patients) dispositions.push(decide(patient));
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, dispositions };
}

async function runLater(decide, patients) {
  const dispositions = [];
  const start = process.hrtime.bigint();
  for (const patient of patients) dispositions.push(await decide(patient));
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, dispositions };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const compiled = JSON.parse((await lines.next()).value);
const logic = new LogicEngine().build(compiled.logic);
const rules = jsonRules(compiled);
const runs = {
  'json-logic-engine': {
    prepared: (patients) => runNow(logic, patients.map((text) => JSON.parse(text))),
    'from raw answers': (patients) => runNow((text) => logic(JSON.parse(text)), patients),
  },
  'json-rules-engine': {
    prepared: (patients) => runLater(rules, patients.map((text) => JSON.parse(text))),
    'from raw answers': (patients) => runLater((text) => rules(JSON.parse(text)), patients),
  },
};

for await (const line of lines) {
  const { engine, form, patients, warmUp } = JSON.parse(line);
  const run = runs[engine][form];
  await run(warmUp);
  console.log(JSON.stringify(await run(patients)));
}
