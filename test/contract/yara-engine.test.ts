import { compileWasm } from "../../src/scanners/yara/wasm.ts";
import { describeAgreement, describeRuleEngine } from "./yara-engine.ts";

describeRuleEngine("WebAssembly", compileWasm);

// An optional dependency: there is none for every machine, and nothing depends on it.
const native = await import("../../src/scanners/yara/native.ts").catch(() => undefined);
if (native !== undefined) {
  describeRuleEngine("native", native.compileNative);
  describeAgreement(compileWasm, native.compileNative);
}
