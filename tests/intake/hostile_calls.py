"""Model files that would call what no classifier needs: the plainest attack, by every name that is known for it."""

from __future__ import annotations

import marshal
from collections.abc import Callable

from tests.intake.opcodes import Canary, Raw, built, call, named, named_by_stack, pickled

_OS = call("importlib:import_module", "os")

# One name, called with these arguments; where that is all it takes to touch the canary.
_TOUCHING: dict[str, Callable[[Canary], tuple[object, ...]]] = {
    "os:system": lambda canary: (canary.shell,),
    "posix:system": lambda canary: (canary.shell,),
    "os:popen": lambda canary: (canary.shell,),
    "subprocess:Popen": lambda canary: (["touch", str(canary.path)],),
    "subprocess:check_output": lambda canary: (["touch", str(canary.path)],),
    "builtins:eval": lambda canary: (canary.python,),
    "builtins:exec": lambda canary: (canary.python,),
    "__builtin__:eval": lambda canary: (canary.python,),
    "builtins:open": lambda canary: (str(canary.path), "w"),
    "io:open": lambda canary: (str(canary.path), "w"),
    "pty:spawn": lambda canary: (["touch", str(canary.path)],),
    "timeit:timeit": lambda canary: ("pass", canary.python),
    "cProfile:run": lambda canary: (canary.python,),
    "trace:Trace.run": lambda canary: (call("trace:Trace"), canary.python),
    "bdb:Bdb.run": lambda canary: (call("bdb:Bdb"), canary.python),
    "code:InteractiveInterpreter.runsource": lambda canary: (call("code:InteractiveInterpreter"), canary.python),
    "pathlib:Path.touch": lambda canary: (call("pathlib:PosixPath", str(canary.path)),),
    "logging:FileHandler": lambda canary: (str(canary.path),),
    "shelve:open": lambda canary: (str(canary.path),),
    "numpy:memmap": lambda canary: (str(canary.path), "uint8", "w+", 0, (1,)),
    "numpy:savetxt": lambda canary: (str(canary.path), (1,)),
    "numpy:ndarray.tofile": lambda canary: (call("numpy:ndarray", (1,)), str(canary.path)),
    "numpy.testing._private.utils:runstring": lambda canary: (canary.python, {}),
    "sklearn.utils._testing:assert_run_python_script_without_output": lambda canary: (canary.python,),
    "joblib:dump": lambda canary: (1, str(canary.path)),
    "joblib:Memory": lambda canary: (str(canary.path),),
    "pickle:loads": lambda canary: (pickled(call("os:system", canary.shell)),),
    "_pickle:loads": lambda canary: (pickled(call("os:system", canary.shell)),),
    "cloudpickle:loads": lambda canary: (pickled(call("os:system", canary.shell)),),
}

# Likewise, but what these do cannot be told by a canary, or needs a network, a terminal or a library that is not there.
_OTHERS: dict[str, tuple[object, ...]] = {
    "builtins:globals": (),
    "builtins:__import__": ("antigravity",),
    "builtins:breakpoint": (),
    "importlib:import_module": ("antigravity",),
    "runpy:run_module": ("antigravity",),
    "runpy:run_path": ("/tmp",),
    "webbrowser:open": ("http://192.0.2.1/",),
    "ctypes:CDLL": (None,),
    "ctypes:string_at": (0,),
    "socket:create_connection": (("192.0.2.1", 80),),
    "urllib.request:urlopen": ("http://192.0.2.1/",),
    "shutil:rmtree": ("/nowhere",),
    "tempfile:mkdtemp": (),
    "code:interact": (),
    "pdb:run": ("0",),
    "marshal:loads": (b"N",),
    "signal:raise_signal": (9,),
    "os:_exit": (0,),
    "sys:exit": (),
    "sys:setrecursionlimit": (10**9,),
    "numpy:load": ("/etc/passwd",),
    "numpy:loadtxt": ("/etc/passwd",),
    "numpy:fromfile": ("/etc/passwd",),
    "numpy.f2py:run_main": (["-h"],),
    "numpy._core._internal:_ctypes": (),
    "sklearn.datasets:fetch_openml": ("mnist_784",),
    "sklearn.datasets._base:fetch_file": ("http://192.0.2.1/",),
    "sklearn.datasets:load_files": ("/etc",),
    "sklearn.utils._show_versions:show_versions": (),
    "joblib:load": ("/nowhere",),
    "joblib.numpy_pickle:load": ("/nowhere",),
    "joblib.numpy_pickle:_unpickle": (1,),
    "numpy._core:_ufunc_reconstruct": ("os", "system"),
    "sklearn.tree:export_graphviz": (1, "/nowhere/tree"),
    "joblib.externals.loky:get_reusable_executor": (),
    "torch.storage:_load_from_bytes": (b"",),
    "torch._utils:_rebuild_tensor_v2": (),
    "app.inference.runtimes.sklearn:open_pickle": (b"N.",),
    "app.intake.sandbox:Sandbox.run": (),
}


def calling() -> dict[str, tuple[str, Callable[[Canary], bytes]]]:
    """Give by name: the global that must be named in the refusal, and the maker of the file; the first touch the canary."""

    def made(name: str, arguments: Callable[[Canary], tuple[object, ...]]) -> tuple[str, Callable[[Canary], bytes]]:
        return name.replace(":", "."), lambda canary: pickled(call(name, *arguments(canary)))

    return {f"calls {name}": made(name, arguments) for name, arguments in _TOUCHING.items()}


def calling_others() -> dict[str, tuple[str, Callable[[Canary], bytes]]]:
    """Give likewise those that leave the canary alone."""

    def made(name: str, arguments: tuple[object, ...]) -> tuple[str, Callable[[Canary], bytes]]:
        return name.replace(":", "."), lambda _: pickled(call(name, *arguments))

    return {f"calls {name}": made(name, arguments) for name, arguments in _OTHERS.items()}


def _function(canary: Canary) -> Raw:
    code = call("marshal:loads", marshal.dumps(compile(canary.python, "hostile", "exec")))
    return call("types:FunctionType", code, {"__builtins__": call("importlib:import_module", "builtins")})


def _frozen_distribution(canary: Canary) -> Raw:
    state = {"_parse_arg_template": canary.python, "numargs": 0, "shapes": None}
    return built(Raw(named("scipy.stats._continuous_distns:norm_gen").opcodes + b")\x81"), state)


# By what other names a call is come by.
INDIRECT: dict[str, tuple[str, Callable[[Canary], Raw]]] = {
    "getattr": ("builtins.getattr", lambda canary: call(call("builtins:getattr", _OS, "system"), canary.shell)),
    "attrgetter": ("operator.attrgetter", lambda canary: call(call(call("operator:attrgetter", "system"), _OS), canary.shell)),
    "methodcaller": ("operator.methodcaller", lambda canary: call(call("operator:methodcaller", "system", canary.shell), _OS)),
    "itemgetter": (
        "operator.itemgetter",
        lambda canary: call(call(call("operator:itemgetter", "system"), call("builtins:vars", _OS)), canary.shell),
    ),
    "partial": ("functools.partial", lambda canary: call(call("functools:partial", named_by_stack("os:system"), canary.shell))),
    "reduce": (
        "functools.reduce",
        lambda canary: call(call("functools:reduce", named("builtins:getattr"), ["system"], _OS), canary.shell),
    ),
    "compile": ("builtins.compile", lambda canary: call("builtins:exec", call("builtins:compile", canary.python, "", "exec"))),
    "a list of map": (
        "builtins.map",
        lambda canary: call("builtins:list", call("builtins:map", named("os:system"), [canary.shell])),
    ),
    "a function of code": ("types.FunctionType", lambda canary: call(_function(canary))),
    "a distribution's state": ("scipy.stats._continuous_distns.norm_gen", _frozen_distribution),
    "a name within a module of scikit-learn": (
        "sklearn.utils._testing.os.system",
        lambda canary: call("sklearn.utils._testing:os.system", canary.shell),
    ),
    "a name within a module of ours": ("app.config.os.system", lambda canary: call("app.config:os.system", canary.shell)),
    "a name within a listed class": (
        "sklearn.svm._classes.SVC.fit.__globals__",
        lambda canary: call(
            call(
                call("operator:itemgetter", "exec"),
                call(call("operator:itemgetter", "__builtins__"), named_by_stack("sklearn.svm._classes:SVC.fit.__globals__")),
            ),
            canary.python,
        ),
    ),
}
