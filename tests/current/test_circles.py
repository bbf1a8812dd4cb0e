from graphlib import TopologicalSorter

from grimp import build_graph


def test_no_module_imports_one_that_imports_it() -> None:
    graph = build_graph("nkk", "services", "gateway", "webhooks", "ops")
    modules = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(modules) > 200
    # This raises CycleError, which names the circle.
    TopologicalSorter(modules).prepare()
