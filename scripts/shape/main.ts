/**
 * Measures the shape of the source tree, and says how far each measure is from its goal:
 *
 *     npm run shape                        every measure, with the first of what keeps it from its goal
 *     npm run shape -- --list cycles       all of it, for one measure
 *     npm run shape -- --json              everything, for a program
 */
import { parseArgs } from "node:util";
import { report } from "./report.ts";
import { measureRepository } from "./repository.ts";

const { values } = parseArgs({ options: { list: { type: "string" }, json: { type: "boolean" } } });
const measures = measureRepository();
const listed = measures.find(({ name }) => name === values.list);
if (values.json === true) console.log(JSON.stringify(measures, null, 2));
else if (listed !== undefined) console.log(listed.offenders.join("\n"));
else if (values.list === undefined) console.log(report(measures));
else {
  console.error(`No such measure: ${values.list}. There are ${measures.map(({ name }) => name).join(", ")}.`);
  process.exitCode = 2;
}
