"""Which tools there are: the broker itself keeps it, as a global parameter for each."""

from typing import Any

from ops.broker_api import BrokerApi
from ops.tools.tool import Tool, ToolError


def tools(api: BrokerApi) -> list[Tool]:
    """Return the tools of this virtual host, by name."""
    return [
        Tool(name, about["stage"], about["opd"], tuple(about["types"]))
        for name, about in sorted(kept(api).items())
        if about["vhost"] == api.vhost
    ]


def find(api: BrokerApi, name: str) -> Tool:
    """Return the tool `name`. Raises ToolError where there is none."""
    found = next((tool for tool in tools(api) if tool.name == name), None)
    if found is None:
        raise no_such_tool(api, name)
    return found


def kept(api: BrokerApi) -> dict[str, dict[str, Any]]:
    """Return what is kept of each tool, of other virtual hosts too: the names of users are the whole broker's."""
    prefix = parameter_of("")
    return {
        parameter["name"].removeprefix(prefix): parameter["value"]
        for parameter in api.get("global-parameters") or []
        if parameter["name"].startswith(prefix)
    }


def parameter_of(name: str) -> str:
    """Return the name of the parameter that keeps the tool `name`."""
    return f"nkk-tool.{name}"


def no_such_tool(api: BrokerApi, name: str) -> ToolError:
    """Return the error that there is no tool `name`, which says what tools there are."""
    names = ", ".join(tool.name for tool in tools(api))
    return ToolError(f"There is no tool {name}: " + (f"there are {names}." if names else "there is none yet."))
