// Reads [{schema, value}, ...] from standard input; prints what Discord's published OpenAPI has against each value.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import * as schemas from "discord-api-spec/zod";

const verdicts = JSON.parse(readFileSync(0, "utf8")).map(({ schema, value }) => {
  const read = schemas[schema].safeParse(value);
  if (!read.success) return read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  // A reading leaves out what the schema does not know.
  return isDeepStrictEqual(read.data, value) ? [] : [`read as ${JSON.stringify(read.data)}`];
});
console.log(JSON.stringify(verdicts));
