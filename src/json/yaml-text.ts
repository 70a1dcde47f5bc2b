/** As the end of a sentence, when a text that was to be JSON is YAML: `undefined` for what is neither. */
export function yamlComplaint(text: string): string | undefined {
  const begun = text.replace(/^\ufeff?(?:\s+|#[^\n]*(?:\n|$))*/, "");
  const yaml = /^(?:---|%YAML\b|(?:"[^"\n]*"|'[^'\n]*'|[\w.-]+)\s*:(?:\s|$)|- )/.test(begun);
  return yaml ? 'is YAML, and JSON is wanted here: { "key": "value" }' : undefined;
}
