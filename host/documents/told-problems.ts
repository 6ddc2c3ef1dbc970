const most = 20;
const mostLength = 300;

/** Problems in words, as far as anybody reads them: who sends what is wrong in very many places need not hear of each. */
export function toldProblems(problems: string[]): string[] {
  const shown = problems
    .slice(0, most)
    .map((problem) => (problem.length > mostLength ? `${problem.slice(0, mostLength)}…` : problem));
  return problems.length > most ? [...shown, `and ${problems.length - most} more`] : shown;
}
