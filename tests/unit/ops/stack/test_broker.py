"""The source of the broker: a given URI, a container, an installed server, Debian's package, or an error that helps."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import docker
import docker.errors
import pytest

from ops.stack import broker as brokers
from ops.stack import container, ready
from ops.stack.tls import Listener


class Container:
    """A container as the docker package represents it."""

    def __init__(self, log, refusals=0):
        self.log = log
        self.name = "nkk-x"
        self.ports = {"5672/tcp": [{"HostPort": "34567"}], "15672/tcp": [{"HostPort": "34568"}]}
        self._refusals = refusals

    def reload(self):
        self.log.append("reload")

    def exec_run(self, command):
        self.log.append(command[:2])
        self._refusals -= 1
        return SimpleNamespace(exit_code=1 if self._refusals >= 0 else 0)

    def stop(self, timeout):
        self.log.append("stop")


class Engine:
    """A Docker engine that answers."""

    def __init__(self, refusals=0):
        self.log = []
        self.options = {}
        self.containers = SimpleNamespace(run=self._run, get=self._get)
        self.left_over = []
        self._refusals = refusals

    def _get(self, name):
        if name not in self.left_over:
            raise docker.errors.NotFound("none")
        return SimpleNamespace(remove=lambda force: self.left_over.remove(name))

    def _run(self, image, **options):
        self.log.append(image)
        self.options = options
        return Container(self.log, self._refusals)


@pytest.fixture
def alone(monkeypatch):
    """A machine with nothing: no given broker, no engine, no server, and no right to install."""
    monkeypatch.delenv("AMQP_URI", raising=False)
    monkeypatch.setattr(brokers, "docker_engine", lambda: None)
    monkeypatch.setattr(brokers, "SERVER", brokers.Path("/nowhere/rabbitmq-server"))
    monkeypatch.setattr(brokers.os, "geteuid", lambda: 1000)
    for module in (brokers, container):
        monkeypatch.setattr(module, "wait_until_ready", lambda uri, alive: None)
    monkeypatch.setattr(brokers.time, "sleep", lambda seconds: None)


def test_a_broker_that_is_given_is_used_and_nothing_is_started(alone, monkeypatch, tmp_path):
    monkeypatch.setenv("AMQP_URI", "amqp://there")
    monkeypatch.setenv("NKK_BROKER_API", "http://api")
    monkeypatch.setattr(brokers, "docker_engine", lambda: pytest.fail("must not look for an engine"))
    with brokers.broker(tmp_path, echo=pytest.fail) as found:
        assert (found.uri, found.api) == ("amqp://there", "http://api")


def test_a_docker_engine_that_answers_runs_a_broker_on_loopback_and_ends_it(alone, monkeypatch, tmp_path):
    engine = Engine(refusals=2)
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    with brokers.broker(tmp_path, echo=lambda text: None) as found:
        password = engine.options["environment"]["RABBITMQ_DEFAULT_PASS"]
        assert found.uri == f"amqp://nkk:{password}@127.0.0.1:34567//"
        assert found.api == f"http://nkk:{password}@127.0.0.1:34568"
        assert engine.options["ports"] == {"5672/tcp": ("127.0.0.1", None), "15672/tcp": ("127.0.0.1", None)}
        assert "stop" not in engine.log
    assert engine.log[-1] == "stop"
    assert engine.log.count(["rabbitmqctl", "change_password"]) == 3


def test_a_container_listens_with_tls_where_that_is_asked_for(alone, monkeypatch, tmp_path):
    engine = Engine()
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    tls = Listener("/x/certificate.pem", "/x/key.pem", "0.0.0.0", 15671, "amqp.example.id")
    with brokers.broker(tmp_path, lambda text: None, tls):
        assert engine.options["ports"]["5671/tcp"] == ("0.0.0.0", 15671)
        mounted = {each["bind"]: source for source, each in engine.options["volumes"].items()}
        assert mounted["/tls/certificate.pem"] == "/x/certificate.pem"
        assert mounted["/tls/key.pem"] == "/x/key.pem"
        conf = brokers.Path(mounted["/etc/rabbitmq/conf.d/60-nkk-tls.conf"]).read_text()
        assert "listeners.ssl.1 = 0.0.0.0:5671\nssl_options.certfile = /tls/certificate.pem\n" in conf


def test_a_container_left_by_a_run_that_was_killed_is_removed_first(alone, monkeypatch, tmp_path):
    engine = Engine()
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    with brokers.broker(tmp_path, echo=lambda text: None):
        name = engine.options["name"]
    engine.left_over = [name]
    with brokers.broker(tmp_path, echo=lambda text: None):
        assert (engine.left_over, engine.options["name"]) == ([], name)


@pytest.mark.parametrize("version", ["3.9.13", "3.8.2", "", "2.8"])
def test_a_broker_too_old_for_our_queues_is_named(version):
    with pytest.raises(brokers.NoBrokerError, match=r"RabbitMQ 3\.10 or newer is needed"):
        ready.must_be_recent(version)


@pytest.mark.parametrize("version", ["3.10.0", "3.13.7", "4.0.0-rc.1", "4.3.1"])
def test_a_newer_broker_will_do(version):
    assert ready.must_be_recent(version) is None


def test_a_container_is_ended_where_its_user_meets_an_error(alone, monkeypatch, tmp_path):
    engine = Engine()
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    with pytest.raises(KeyError), brokers.broker(tmp_path, echo=lambda text: None):
        raise KeyError("ours")
    assert engine.log[-1] == "stop"


def test_an_installed_server_is_run_as_a_node_of_our_own(alone, monkeypatch, tmp_path):
    server = tmp_path / "rabbitmq-server"
    server.touch()
    monkeypatch.setattr(brokers, "SERVER", server)

    @contextmanager
    def node(folder, management, tls):
        assert (management, tls) == (True, None)
        yield SimpleNamespace(
            uri=f"amqp://node-in-{folder.name}", api="http://there", look_after=lambda echo: echo("looked after")
        )

    monkeypatch.setattr(brokers, "PrivateNode", node)
    said = []
    with brokers.broker(tmp_path, echo=said.append) as found:
        assert (found.uri, found.api) == (f"amqp://node-in-{tmp_path.name}", "http://there")
        found.look_after()
    assert said == ["starting RabbitMQ as a node with its own data folder", "looked after"]


def test_a_node_that_died_is_started_again_and_said_and_not_at_once_a_second_time(monkeypatch, tmp_path):
    said, done = [], []
    node = brokers.PrivateNode(tmp_path)
    monkeypatch.setattr(brokers.time, "monotonic", lambda: now)
    monkeypatch.setattr(node, "stop", lambda: done.append("tidied"))
    monkeypatch.setattr(node, "launch", lambda: done.append("started"))
    now = 100.0
    node.look_after(said.append)
    node._node = SimpleNamespace(poll=lambda: None, returncode=None)
    node.look_after(said.append)
    assert (said, done) == ([], [])
    node._node = SimpleNamespace(poll=lambda: -9, returncode=-9)
    node.look_after(said.append)
    node.look_after(said.append)
    assert said == [f"RabbitMQ ended (killed by SIGKILL), starts again; see {tmp_path}/server.log"]
    assert done == ["tidied", "started"]
    now += brokers.START_AGAIN_SECONDS
    node.look_after(said.append)
    assert len(said) == 2


def test_a_container_that_ended_is_said_and_everything_ends_with_it(alone, monkeypatch, tmp_path):
    def gone(*_, **__):
        raise docker.errors.NotFound("none")

    engine = Engine()
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    with brokers.broker(tmp_path, echo=lambda text: None) as found:
        found.look_after()
        monkeypatch.setattr(brokers.time, "monotonic", lambda: 1e9)
        monkeypatch.setattr(Container, "reload", gone)
        monkeypatch.setattr(Container, "stop", gone)
        with pytest.raises(brokers.NoBrokerError, match="container nkk-x has ended"):
            found.look_after()


def test_without_any_way_to_a_broker_one_sentence_names_the_three_choices(alone, tmp_path):
    with pytest.raises(brokers.NoBrokerError) as refused, brokers.broker(tmp_path, echo=pytest.fail):
        pass
    for choice in ("AMQP_URI", "Docker", "rabbitmq-server"):
        assert choice in str(refused.value)


def test_root_on_debian_installs_the_package(alone, monkeypatch, tmp_path):
    installed = []
    server = tmp_path / "rabbitmq-server"

    def install(*names):
        installed.extend(names)
        server.touch()

    @contextmanager
    def node(folder, **_):
        yield SimpleNamespace(uri="amqp://fresh", api="", look_after=lambda echo: None)

    monkeypatch.setattr(brokers.os, "geteuid", lambda: 0)
    monkeypatch.setattr(brokers.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(brokers, "SERVER", server)
    monkeypatch.setattr(brokers, "install_packages", install)
    monkeypatch.setattr(brokers, "PrivateNode", node)
    said = []
    with brokers.broker(tmp_path, echo=said.append) as found:
        assert (found.uri, installed) == ("amqp://fresh", ["rabbitmq-server"])
    assert said[0] == "installing Debian's rabbitmq-server (once)"


def test_a_node_keeps_its_password_and_name_and_listens_on_loopback_alone(monkeypatch, tmp_path):
    first, second = brokers.PrivateNode(tmp_path), brokers.PrivateNode(tmp_path)
    monkeypatch.setattr(brokers, "free_port", lambda: 5003)
    for node, port in ((first, 5001), (second, 5002)):
        node.port = port
        node._write_configuration()
    assert first._password() == second._password()
    assert first._environment()["RABBITMQ_NODENAME"] == second._environment()["RABBITMQ_NODENAME"]
    conf = (tmp_path / "rabbitmq.conf").read_text()
    assert "listeners.tcp.1 = 127.0.0.1:5002" in conf
    assert (tmp_path / "rabbitmq.conf").stat().st_mode & 0o077 == 0
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_a_node_has_a_cookie_that_nobody_guesses_and_a_new_one_for_each_start(tmp_path):
    node, found = brokers.PrivateNode(tmp_path), set()
    (tmp_path / ".erlang.cookie").write_text("ABCDEFGHIJKLMNOPQRST")  # as Erlang creates it
    for _ in range(2):
        node._write_cookie()
        found.add((tmp_path / ".erlang.cookie").read_text())
        assert (tmp_path / ".erlang.cookie").stat().st_mode & 0o177 == 0
    assert len(found) == 2
    assert all(len(cookie) == 64 for cookie in found)


def test_a_container_keeps_its_password_and_has_a_cookie_of_its_own(alone, monkeypatch, tmp_path):
    engine, found = Engine(), []
    monkeypatch.setattr(brokers, "docker_engine", lambda: engine)
    for _ in range(2):
        with brokers.broker(tmp_path, echo=lambda text: None):
            found.append(engine.options["environment"])
            assert engine.options["command"] == ["sh", "-c", container.WITH_COOKIE]
    first, second = found
    assert first["RABBITMQ_DEFAULT_PASS"] == second["RABBITMQ_DEFAULT_PASS"]
    assert first["ERLANG_COOKIE"] != second["ERLANG_COOKIE"]
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_the_shell_of_the_image_writes_the_cookie_over_one_that_was_there(tmp_path):
    (tmp_path / "rabbitmq-server").write_text("#!/bin/sh\necho served\n")
    (tmp_path / "rabbitmq-server").chmod(0o755)
    cookie = tmp_path / ".erlang.cookie"
    cookie.write_text("ABCDEFGHIJKLMNOPQRST")
    cookie.chmod(0o400)
    done = subprocess.run(
        ["sh", "-c", container.WITH_COOKIE],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}", "ERLANG_COOKIE": "a-_1"},
    )
    assert (done.stdout, cookie.read_text(), cookie.stat().st_mode & 0o177) == ("served\n", "a-_1", 0)


APT = """#!/bin/sh
mkdir {busy} || exit 100
sleep 0.05
echo "$@" >> {said}
rmdir {busy}
"""


def test_packages_are_installed_by_one_process_at_a_time(monkeypatch, tmp_path):
    said, apt = tmp_path / "said", tmp_path / "apt-get"
    apt.write_text(APT.format(busy=tmp_path / "busy", said=said))
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(brokers, "PACKAGES", tmp_path)
    monkeypatch.setattr(brokers, "POLICY", tmp_path / "policy-rc.d")
    with ThreadPoolExecutor(3) as lanes:
        list(lanes.map(brokers.install_packages, ["curl", "php-cli", "nginx-light"]))
    installed = [line.split()[-1] for line in said.read_text().splitlines() if "install" in line]
    assert sorted(installed) == ["curl", "nginx-light", "php-cli"]
    assert not brokers.POLICY.exists()
