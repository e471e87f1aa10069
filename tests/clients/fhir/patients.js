// A patient's answers as a client sends them: made out of the Questionnaire that the server gives, and nothing else.
export const ADDRESS = process.env.PLUIS_HTTP;
if (!ADDRESS) throw new Error("PLUIS_HTTP is not set: run `make test-clients`, which starts a server");

export const MODULE = "low-back-pain";

// Numb between the legs: an emergency, whatever else. One answer settles nothing; no answer still less.
export const NUMB = { saddle_numbness: "yes", age: 39, fever: "asked-unknown" };
export const BEGUN = { age: 39 };
export const NOTHING = {};

/** A completed response with these answers, by question: a number, or the code of an option. */
export function respond(form, answers) {
  const left = new Set(Object.keys(answers));
  const answered = (item) => {
    const { linkId, type, text } = item;
    const inside = (item.item ?? []).flatMap(answered);
    if (type === "group") return inside.length ? [{ linkId, text, item: inside }] : [];
    if (!left.delete(linkId)) return [];
    return [{ linkId, text, answer: [value(item, answers[linkId])] }];
  };
  const { url, version, item } = form;
  const items = item.flatMap(answered);
  if (left.size) throw new Error(`the Questionnaire has no ${[...left]}`);
  const response = { resourceType: "QuestionnaireResponse", questionnaire: `${url}|${version}`, status: "completed" };
  return items.length ? { ...response, item: items } : response;
}

function value({ linkId, type, answerOption }, answer) {
  if (type === "integer") return { valueInteger: answer };
  if (type === "decimal") return { valueDecimal: answer };
  const fits = ({ valueCoding: { code } }) => code === answer || code === `${linkId}.${answer}`;
  const { valueCoding } = answerOption.find(fits) ?? {};
  if (!valueCoding) throw new Error(`${linkId} has no option ${answer}`);
  return { valueCoding };
}

/** The decision as data, by name, of a GuidanceResponse. */
export function decided({ contained }) {
  const { parameter } = contained.find(({ resourceType }) => resourceType === "Parameters");
  const single = parameter.filter(({ part }) => !part);
  return Object.fromEntries(single.map(({ name, ...value }) => [name, Object.values(value)[0]]));
}
