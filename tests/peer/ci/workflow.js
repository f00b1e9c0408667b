// Reads a workflow with GitHub's own parser. Prints each job with those that it needs; errors go to standard error, and
// then it ends with 1. Bundled by esbuild first: the parser imports JSON in a way that Node does not take.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";

async function read(path) {
    const file = { name: basename(path), content: readFileSync(path, "utf8") };
    const { context, value } = parseWorkflow(file, new NoOperationTraceWriter());
    const template = value ? await convertWorkflowTemplate(context, value) : { jobs: [] };
    for (const job of template.jobs ?? []) {
        const needs = (job.needs ?? []).map((need) => need.value).sort();
        console.log([job.id.value, ...needs].join(" "));
    }
    return context.errors.getErrors().map((error) => error.message);
}

read(process.argv[2]).then((errors) => {
    errors.forEach((error) => console.error(error));
    process.exitCode = errors.length === 0 ? 0 : 1;
});
