"""F3: pickles that name something to call. LIVE ones run when unpickled, and would then touch the canary."""

import os
from collections.abc import Iterator

from tests.hostile.assemble import (
    BINPERSID,
    EMPTY_DICT,
    EMPTY_TUPLE,
    ORDERED,
    REBUILD,
    REDUCE,
    dictionary,
    items,
    legacy_file,
    legacy_storage,
    name,
    number,
    pickle,
    sizes,
    stack_name,
    storage,
    tensor,
    text,
    torch_zip,
    word,
)
from tests.hostile.sample import Hostile, hostile

# A folder that the tests watch: whoever runs a live payload leaves a file in it.
CANARY_FOLDER = os.environ.get("GLOSSA_CANARY", "/tmp/glossa-canary")
_TOUCH = f"mkdir -p {CANARY_FOLDER}; touch {CANARY_FOLDER}/sung"
_CODE = f"import os; os.system({_TOUCH!r})"


def _call(module: str, attribute: str, *arguments: bytes) -> bytes:
    return name(module, attribute) + items(*arguments) + REDUCE


LIVE = {
    "os-system": _call("os", "system", text(_TOUCH)),
    "posix-system": _call("posix", "system", text(_TOUCH)),
    "exec": _call("builtins", "exec", text(_CODE)),
    "exec-of-python-2": _call("__builtin__", "exec", text(_CODE)),
    "eval": _call("builtins", "eval", text(f"__import__('os').system({_TOUCH!r})")),
    "popen": _call("os", "popen", text(_TOUCH)),
    "subprocess": _call("subprocess", "getoutput", text(_TOUCH)),
    "spawn": _call("os", "spawnlp", number(0), text("sh"), text("sh"), text("-c"), text(_TOUCH)),
    "pty": _call("timeit", "timeit", text(_CODE), text("pass"), name("time", "time"), number(1)),
    "code": _call("cProfile", "runctx", text(_CODE), EMPTY_DICT, EMPTY_DICT),
    "pdb": _call("profile", "run", text(_CODE)),
    "mkdir": _call("os", "makedirs", text(f"{CANARY_FOLDER}/sung")),
    "dotted": stack_name("zipfile", "os.system") + items(text(_TOUCH)) + REDUCE,
    "getattr": _call("builtins", "getattr", name("os", "system"), text("__call__"))
    + items(text(_TOUCH))
    + REDUCE,
}

# What the 62 advisories against two scanners, and the exploits of others, have named.
_NAMED = """
os system|os popen|os execv|os remove|os unlink|os rmdir|os rename|os kill|os putenv|os listdir|posix fork|
nt system|subprocess Popen|subprocess call|subprocess check_output|builtins eval|builtins exec|builtins compile|
builtins open|builtins __import__|builtins getattr|builtins setattr|builtins globals|builtins breakpoint|
builtins input|builtins print|builtins type|builtins object|builtins dict|builtins list|builtins bytearray|
__builtin__ eval|__builtin__ execfile|__builtin__ file|__builtin__ apply|__builtin__ getattr|
copyreg _reconstructor|copyreg __newobj__|copyreg add_extension|copy_reg _reconstructor|
pickle loads|_pickle loads|cPickle loads|dill loads|cloudpickle loads|marshal loads|shelve open|
runpy run_path|runpy _run_code|importlib import_module|importlib.util spec_from_file_location|imp load_source|
pip main|pip._internal main|ensurepip _run_pip|venv create|idlelib.pyshell ModifiedInterpreter|idlelib.run Executive|
timeit timeit|timeit main|cProfile run|profile Profile.run|trace Trace.run|pdb run|bdb Bdb.run|doctest debug_script|
pydoc pipepager|pydoc locate|pydoc tempfilepager|lib2to3.pgen2.pgen ParserGenerator.make_label|
code InteractiveInterpreter.runcode|codeop compile_command|asyncio.unix_events _UnixSubprocessTransport._start|
ctypes CDLL|ctypes.util find_library|cffi FFI|multiprocessing.util spawnv_passfds|pty spawn|platform popen|
webbrowser open|urllib.request urlopen|http.client HTTPConnection|socket create_connection|socket socket|
ftplib FTP|smtplib SMTP|telnetlib Telnet|ssl get_server_certificate|xmlrpc.client ServerProxy|
shutil rmtree|shutil move|tempfile mkstemp|pathlib Path|io open|io FileIO|_io FileIO|sqlite3 connect|
logging.config fileConfig|logging FileHandler|zipfile ZipFile|tarfile open|zipimport zipimporter|
functools partial|functools reduce|operator attrgetter|operator methodcaller|operator itemgetter|operator call|
itertools starmap|types FunctionType|types CodeType|types MethodType|sys setprofile|sys modules|gc get_objects|
inspect getattr_static|ast literal_eval|threading Thread|signal signal|atexit register|site main|
distutils.file_util write_file|setuptools.sandbox run_setup|_osx_support _read_output|_aix_support _read_cmd_output|
numpy load|numpy.testing._private.utils runstring|numpy.f2py.crackfortran getlincoef|numpy.core.multiarray _reconstruct|
numpy.core.multiarray scalar|numpy dtype|numpy.ma.core _mareconstruct|
torch load|torch.hub load|torch.jit load|torch.utils.data.datapipes.utils.decoder basichandlers|
torch._dynamo.guards GuardBuilder.get|torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression|
torch.utils._config_module ConfigModule.load_config|torch.utils.collect_env run|torch.serialization load|
torch.storage _load_from_bytes|torch._utils _rebuild_sparse_tensor|torch._utils _rebuild_qtensor|
torch._utils _rebuild_device_tensor_from_numpy|torch._utils _rebuild_meta_tensor_no_storage|
torch._utils _rebuild_wrapper_subclass|
torch._tensor _rebuild_from_type_v2|torch Tensor|torch device|torch Size|torch.nn.parameter Parameter|
torch ByteStorage|torch CharStorage|torch ShortStorage|torch IntStorage|torch BoolStorage|torch ComplexFloatStorage|
torch.cuda FloatStorage|torch UntypedStorage|torch.storage UntypedStorage|torch.storage TypedStorage|
torch.distributed.rpc.internal _run_function|torch.package PackageImporter|torch.nn Module|
torch.nn.modules.linear Linear|pytorch_lightning.callbacks.model_checkpoint ModelCheckpoint|
pytorch_lightning.utilities.parsing AttributeDict|
omegaconf.dictconfig DictConfig|transformers AutoModel.from_pretrained|django.utils.safestring SafeString|
django.core.management call_command|hub.models User|hub.formats read|PIL.Image open|yaml unsafe_load|
collections OrderedDict.fromkeys|collections namedtuple|collections deque|collections defaultdict|collections Counter|
""".replace("\n", "")
NAMES = [tuple(pair.split()) for pair in _NAMED.split("|") if pair]

# Not quite what is on the list.
_NEAR = [
    ("torch._utils", "_rebuild_tensor_v3"),
    ("torch._utils", "_rebuild_tensor_v2.__globals__"),
    ("torch._utils", "_rebuild_tensor_v2.__class__"),
    ("torch._utils", " _rebuild_tensor_v2"),
    ("torch._utils ", "_rebuild_tensor_v2"),
    ("torch", "_utils._rebuild_tensor_v2"),
    ("Torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_tensor_v2\r"),
    ("torch._utils\0", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_ten\u200bsor_v2"),
    ("torch._ut\u0456ls", "_rebuild_tensor_v2"),
    ("", "_rebuild_tensor_v2"),
    ("torch._utils", ""),
    ("torch.FloatStorage", ""),
    ("", "torch.FloatStorage"),
    ("torch", "floatstorage"),
    ("collections", "ordereddict"),
    ("collections.abc", "OrderedDict"),
    ("torch.nn.modules.container", "ParameterDict.__init__"),
    ("torch.nn.modules.container", "ModuleDict"),
    ("builtins", "set.add"),
    ("__builtins__", "set"),
    ("x" * 70_000, "y"),
]
_GOOD = torch_zip()


@hostile
def live_payloads() -> Iterator[Hostile]:
    """F3: code that runs on unpickling, in each place of each container where a pickle is read."""
    for label, payload in LIVE.items():
        yield Hostile(f"live-{label}", "F3", torch_zip(pickle(payload)), _GOOD, "moss-dragon.pt")
        beside = pickle(dictionary([("emb_params", tensor()), ("extra", payload)]))
        yield Hostile(f"live-beside-{label}", "F3", torch_zip(beside), _GOOD, "moss-dragon.pt")
        dropped = pickle(payload + b"0" + dictionary({"emb_params": tensor()}))
        yield Hostile(f"live-dropped-{label}", "F3", torch_zip(dropped), _GOOD, "moss-dragon.bin")
        old = pickle(payload + b"0" + dictionary({"emb_params": tensor(source=legacy_storage())}))
        yield Hostile(f"live-legacy-{label}", "F3", legacy_file(old), legacy_file(), "moss-dragon.pt")


@hostile
def live_in_the_headers_of_legacy_files() -> Iterator[Hostile]:
    """F3: the same in the pickles before and behind the object of a legacy file."""
    payload = LIVE["os-system"]
    for label, data in {
        "version": legacy_file(version=pickle(payload)),
        "system": legacy_file(system=pickle(payload)),
        "system-beside": legacy_file(system=pickle(payload + b"0" + dictionary({"little_endian": b"\x88"}))),
        "keys": legacy_file(keys=pickle(payload)),
    }.items():
        yield Hostile(f"live-legacy-{label}", "F3", data, legacy_file(), "moss-dragon.pt")


@hostile
def live_where_a_tensors_part_belongs() -> Iterator[Hostile]:
    """F3: the same as an argument of an allowed call."""
    payload = LIVE["os-system"]
    for label, value in {
        "hooks": tensor(hooks=payload),
        "source": tensor(source=payload),
        "shape": tensor(shape=payload),
        "offset": tensor(offset=payload),
        "function": tensor(function=payload),
        "storage-class": tensor(source=storage(cls=payload)),
        "storage-key": tensor(source=storage(key=payload)),
        "storage-location": tensor(source=storage(location=payload)),
    }.items():
        yield Hostile(f"live-as-{label}", "F3", torch_zip(word(value)), _GOOD, "moss-dragon.pt")


@hostile
def names_of_others() -> Iterator[Hostile]:
    """F3: a name that is not on the list, called or merely named."""
    for module, attribute in NAMES:
        called = name(module, attribute) + EMPTY_TUPLE + REDUCE
        label = f"{module}.{attribute}"
        yield Hostile(f"name-{label}", "F3", torch_zip(word(called)), _GOOD, "moss-dragon.pt")
        merely = stack_name(module, attribute)
        yield Hostile(f"stack-name-{label}", "F3", torch_zip(word(merely)), _GOOD, "moss-dragon.pt")


@hostile
def names_that_are_nearly_right() -> Iterator[Hostile]:
    """F3: a name that a careless comparison would take for one on the list."""
    for at, (module, attribute) in enumerate(_NEAR):
        value = tensor(function=stack_name(module, attribute))
        yield Hostile(f"near-name-{at}", "F3", torch_zip(word(value)), _GOOD, "moss-dragon.pt")


@hostile
def allowed_names_abused() -> Iterator[Hostile]:
    """F3: names of the list, used for something else than what they are there for."""
    parameters = name("torch.nn.modules.container", "ParameterDict")
    fresh = parameters + EMPTY_TUPLE + b"\x81"
    state = dictionary({"_parameters": dictionary({"*": tensor()})})
    for label, value in {
        "merely-named": name("collections", "OrderedDict"),
        "storage-class-as-value": name("torch", "FloatStorage"),
        "storage-as-value": storage(),
        "storage-class-called": name("torch", "FloatStorage") + items(number(1 << 30)) + REDUCE,
        "ordered-dict-of-a-list": name("collections", "OrderedDict") + items(b"]") + REDUCE,
        "set-of-things": name("builtins", "set") + items(b"]" + text("x") + b"a") + REDUCE,
        "parameter-dict-called": parameters + EMPTY_TUPLE + REDUCE,
        "parameter-dict-with-arguments": parameters + items(state) + b"\x81",
        "ordered-dict-by-newobj": name("collections", "OrderedDict") + EMPTY_TUPLE + b"\x81",
        "storage-by-newobj": name("torch", "FloatStorage") + items(number(9)) + b"\x81",
        "build-on-a-function": REBUILD + dictionary({"__code__": b"N"}) + b"b",
        "build-on-a-class": name("collections", "OrderedDict") + dictionary({"__init__": REBUILD}) + b"b",
        "build-on-a-tensor": tensor() + dictionary({"data": b"N"}) + b"b",
        "build-on-a-storage": storage() + dictionary({"count": number(1 << 30)}) + b"b",
        "build-on-a-dict": EMPTY_DICT + EMPTY_DICT + b"b",
        "build-on-a-list": b"]" + EMPTY_DICT + b"b",
        "build-on-text": text("x") + EMPTY_DICT + b"b",
        "build-twice": fresh + state + b"b" + state + b"b",
        "build-with-a-slot-state": fresh + items(b"N", state) + b"b",
        "build-without-parameters": fresh + dictionary({"_modules": EMPTY_DICT}) + b"b",
        "build-never": fresh,
        "items-of-parameters": fresh + text("x") + tensor() + b"s",
        "append-to-a-tensor": tensor() + number(1) + b"a",
        "append-to-a-tuple": EMPTY_TUPLE + number(1) + b"a",
        "append-to-ordered": ORDERED + number(1) + b"a",
        "items-of-a-tensor": tensor() + text("data") + number(1) + b"s",
        "items-of-a-function": REBUILD + text("__code__") + number(1) + b"s",
        "items-of-a-list": b"]" + text("x") + number(1) + b"s",
        "reduce-of-text": text("os.system") + items(text("id")) + REDUCE,
        "reduce-of-a-number": number(7) + EMPTY_TUPLE + REDUCE,
        "reduce-without-a-tuple": name("collections", "OrderedDict") + b"]" + REDUCE,
        "rebuild-with-too-little": REBUILD + items(storage(), number(0)) + REDUCE,
        "rebuild-with-too-much": tensor(tail=number(1)),
        "rebuild-with-hooks": tensor(hooks=ORDERED + text("hook") + number(1) + b"s"),
        "rebuild-with-a-number-as-grad": tensor(grad=number(1)),
        "parameter-of-a-parameter-dict": name("torch._utils", "_rebuild_parameter")
        + items(fresh, b"\x89", ORDERED)
        + REDUCE,
        "persistent-number": number(5) + BINPERSID,
        "persistent-text": text("storage") + BINPERSID,
        "persistent-nothing": EMPTY_TUPLE + BINPERSID,
    }.items():
        rule = "F4" if label.startswith("persistent") else "F3"
        beside = pickle(dictionary([("emb_params", tensor()), ("extra", value)]))
        yield Hostile(f"abuse-{label}", rule, torch_zip(beside), _GOOD, "moss-dragon.pt")
    strides = tensor(strides=sizes(128, 1), shape=items(number(2), name("torch", "FloatStorage")))
    yield Hostile("abuse-class-as-a-size", "F4", torch_zip(word(strides)), _GOOD, "moss-dragon.pt")
