// What a Node program needs to ask Pluis: the contract's files, a channel, and failures with their details decoded.
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const PROTOS = fileURLToPath(new URL("../../../protos", import.meta.url));

// `keepCase` stays off, so that names are those of the contract's JSON form. Enums come as names, 64-bit numbers as
// text. A field that is not there stays away: nothing that was not said may look like 0.
export const LOADING = { longs: String, enums: String, oneofs: true, arrays: true, includeDirs: [PROTOS] };
const LOADED = protoLoader.loadSync(
  ["triage/v1/triage.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"],
  LOADING,
);
export const { Health } = grpc.loadPackageDefinition(
  protoLoader.loadSync(fileURLToPath(new URL("health.proto", import.meta.url)), LOADING),
).grpc.health.v1;
export const { TriageService } = grpc.loadPackageDefinition(LOADED).triage.v1;

export const ADDRESS = process.env.PLUIS_ADDRESS;
if (!ADDRESS) throw new Error("PLUIS_ADDRESS is not set: run `make test-clients`, which starts a server");

// Past this a call fails with DEADLINE_EXCEEDED; a program that waits without end hides a broken service.
const PATIENCE = 20_000;

// The answer to a batch of a thousand is larger than gRPC takes by itself.
const OPTIONS = { "grpc.max_receive_message_length": 64 * 1024 * 1024 };

/** A client of a service, on a channel of its own. */
export function connect(Service = TriageService) {
  return new Service(ADDRESS, grpc.credentials.createInsecure(), OPTIONS);
}

/** One unary call as a promise. */
export function ask(client, method, request, milliseconds = PATIENCE) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + milliseconds };
    client[method](request, options, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** The failure of a call that must fail, with its details decoded. */
export async function failure(promise) {
  let response;
  try {
    response = await promise;
  } catch (error) {
    return { code: error.code, message: error.details, details: details(error), metadata: error.metadata };
  }
  throw new Error(`the call succeeded: ${JSON.stringify(response)}`);
}

/** The google.rpc details of a failed call, by the name of their type, such as `ErrorInfo`. */
export function details(error) {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!bytes) return {};
  return unpacked(LOADED["google.rpc.Status"].deserialize(bytes));
}

/** The details of a google.rpc.Status, which is also what stands for a patient who was refused in a batch. */
export function unpacked(status) {
  return Object.fromEntries(
    status.details.map(({ type_url, typeUrl = type_url, value }) => {
      const name = typeUrl.split("/").at(-1);
      return [name.split(".").at(-1), LOADED[name].deserialize(value)];
    }),
  );
}

const MILD = new Set(["DISPOSITION_SELF_CARE", "DISPOSITION_PHYSIO"]);
const URGENT = new Set(["DISPOSITION_GP_WITHIN_DAYS", "DISPOSITION_SAME_DAY_GP", "DISPOSITION_EMERGENCY"]);

/** What a careful program does with a response: whatever it does not know goes to a person, never to the mild side. */
export function nextStep(response) {
  if (response.outcome === "needsAnswers") return response.needsAnswers.actNow ? "act on the floor" : "ask";
  if (response.outcome !== "decision") return "let a person decide";
  const { disposition } = response.decision;
  if (MILD.has(disposition)) return "guide";
  return URGENT.has(disposition) ? "refer" : "let a person decide";
}

// How answers are said: each with its kind.
export const yes = { yesNo: "YES_NO_YES" };
export const no = { yesNo: "YES_NO_NO" };
export const unknown = { unknown: {} };
export const integer = (number) => ({ integer: number });
export const decimal = (text) => ({ decimal: text });
export const choice = (option) => ({ choice: option });
export const several = (...options) => ({ several: { options } });
