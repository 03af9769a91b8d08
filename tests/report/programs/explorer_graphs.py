"""Open a model and its node data with Model Explorer's own classes: `explorer_graphs.py MODEL EXTENSION NODES GRAPHS`."""

import json
import sys
from pathlib import Path

from dacite import Config, from_dict
from model_explorer import config, graph_builder
from model_explorer.extension_manager import ExtensionManager
from model_explorer.node_data_builder import ModelNodeData

model, extension, nodes, graphs = sys.argv[1:]
data = json.loads(Path(nodes).read_text())
made = from_dict(ModelNodeData, {"graphsData": data}, Config(strict=True))
assert json.loads(made.to_json_string()) == {
    key: {
        **value,
        "gradient": [],
        "hideInAggregatedStatsTable": False,
        "hideInChildrenStatsTable": False,
        "showExpandedSummaryOnGroupNode": False,
        "showLabelCountColumnsInChildrenStatsTable": False,
    }
    for key, value in data.items()
}
opened = config()
opened.add_model_from_path(model)
opened.add_node_data_from_path(nodes)
assert opened.has_data_to_encode_in_url()
extensions = ExtensionManager(["model_explorer_onnx"])
extensions.load_extensions()
answer = extensions.run_cmd(
    {"cmdId": "convert", "extensionId": extension, "modelPath": model, "settings": {}, "deleteAfterConversion": False}
)
found = {g["id"]: g["nodes"] for c in answer.get("graphCollections", [answer]) for g in c["graphs"]}
collection = json.loads(Path(graphs).read_text())
assert set(collection) == {"label", "graphs"}
for graph in collection["graphs"]:
    from_dict(graph_builder.Graph, graph, Config(strict=True))
    found[graph["id"]] = graph["nodes"]
    ids = [node["id"] for node in graph["nodes"]]
    assert len(set(ids)) == len(ids)
    assert all(edge["sourceNodeId"] in ids for node in graph["nodes"] for edge in node["incomingEdges"])
shown = {}
for graph, values in data.items():
    tensors = {}
    for node in found[graph]:
        for output in node["outputsMetadata"]:
            tensors |= {item["value"]: node["id"] for item in output["attrs"] if item["key"] == "tensor_name"}
    labels = {node["id"]: node["label"] for node in found[graph]}
    shown[graph] = {labels[tensors.get(key, key)]: item["value"] for key, item in values["results"].items()}
print(json.dumps(shown))
