#!/usr/bin/env bash
# Everything scalelaw needs, from a bare Debian 12 or Ubuntu 24.04. Run again, it does nothing.
#
#   scripts/setup.sh [--torch cpu|cuda|PATH] [--no-torch] [--checks] [--transformers]
#
#   --torch cpu    LibTorch from the PyPI wheel without its CUDA libraries, into .venv (1.3 GB)
#   --torch cuda   the whole wheel (4.7 GB); the default where an NVIDIA driver is
#   --torch PATH   a Python that has torch, a virtual environment, or an unpacked LibTorch folder
#   --no-torch     packages and Plotly alone: enough for data, sweeps, fits and reports
#   --checks       also what scripts/check.sh and scripts/fuzz.sh run (clang with its format, tidy
#                  and libFuzzer; shellcheck), and Python's safetensors, which a test opens a
#                  checkpoint with, tokenizers, which the test of scripts/encode_hf.py compares
#                  it with, and an nvcc where none is, to compile the CUDA kernels
#   --transformers Hugging Face's transformers with the whole wheel, into .venv/transformers (5 GB),
#                  which tests compare logits with; without it they are skipped
#
# Without an option an earlier choice stands; else cuda where a driver is, else cpu.
# Packages are installed as root or by sudo, and only those that are missing.
source "$(dirname -- "${BASH_SOURCE[0]}")/stages.sh"

torch_version=2.11.0
# The CPU half of the wheel needs these two of its CUDA libraries and no other.
cpu_extras=(nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
# What compiles the CUDA kernels beside the whole wheel, where no nvcc 13 is installed.
nvcc_parts=(nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88)
transformers_version=5.23.0
checks_packages=(numpy==2.4.6 safetensors==0.8.0)
# Plotly's library for the pages of reports is a file in this wheel (70 MB, of which that is all that
# is used), whose dependencies are for Python programs.
plotly_package=plotly==7.1.0
# Its dependencies are for downloading tokenizers, which nothing here does.
tokenizers_package=tokenizers==0.23.3
venv=$root/.venv
chosen_file=$venv/torch_dir  # the folder with include/ and lib/, from .venv on; CMake reads it
# Debian's own Python first: python3-venv is for that one.
python=$([[ -x /usr/bin/python3 ]] && echo /usr/bin/python3 || echo python3)

# A name alone: the Debian package. package:command: either will do.
packages=(
  g++:g++ cmake:cmake ninja-build:ninja ccache:ccache git:git pkg-config:pkg-config
  python3:python3 python3-venv ca-certificates
  libyaml-cpp-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libcli11-dev libxxhash-dev
  libarchive-dev libzstd-dev libsentencepiece-dev libmuparser-dev libcsv-dev libceres-dev libeigen3-dev libgoogle-glog-dev
  libgtest-dev libbenchmark-dev
  gnuplot-nox:gnuplot fonts-dejavu-core
)
system_name() { sed -n 's/^ID=//p' /etc/os-release; }
# Ubuntu's sentencepiece.pc asks for protobuf, and its package does not.
if [[ $(system_name) == ubuntu ]]; then packages+=(libprotobuf-dev); fi
# For tests that start a browser, where such are asked for. Ubuntu's chromium is a snap, which a
# container cannot run.
if [[ ${SCALELAW_TEST_SERVICES:-0} == 1 && $(system_name) == debian ]]; then
  packages+=(chromium:chromium)
fi

wanted_torch=
checks=false
transformers=false
while (($# > 0)); do
  case $1 in
    --torch)
      (($# > 1)) || usage_error "--torch needs cpu, cuda or a path"
      wanted_torch=$2
      shift
      ;;
    --torch=*) wanted_torch=${1#*=} ;;
    --no-torch) wanted_torch=none ;;
    --checks)
      packages+=(clang-format-14 clang-tidy-14 shellcheck:shellcheck)
      packages+=(clang-14 libclang-rt-14-dev llvm-14)  # libFuzzer, and names in its reports
      packages+=(python3-jsonschema python3-yaml)      # a validator of the schema of sweep files
      checks=true
      ;;
    --transformers) transformers=true ;;
    -h | --help)
      print_help
      exit 0
      ;;
    *) usage_error "unknown option '$1'; see scripts/setup.sh --help" ;;
  esac
  shift
done

missing_packages() {
  local entry package command_name installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]%%:*}" 2>/dev/null |
    sed -n 's/^installed //p' || true)  # dpkg-query fails when one is unknown
  for entry in "${packages[@]}"; do
    package=${entry%%:*}
    command_name=${entry#*:}
    grep -qxF -- "$package" <<<"$installed" && continue
    [[ $entry == *:* ]] && command -v "$command_name" >/dev/null && continue
    echo "$package"
  done
}

install_packages() {
  local missing=("$@") as_root=()
  local by_hand="apt-get install --no-install-recommends ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail_stage "Packages are missing and this is neither root nor a machine with sudo. As root: $by_hand"
    if ! sudo -n true 2>/dev/null; then
      (: </dev/tty) 2>/dev/null || fail_stage "Packages are missing and sudo wants a password, but no terminal is here. Run: sudo $by_hand"
      sudo -v || fail_stage "sudo refused. As root: $by_hand"
    fi
    as_root=(sudo)
  fi
  local megabytes=1500
  if $checks || [[ ${SCALELAW_TEST_SERVICES:-0} == 1 ]]; then megabytes=2500; fi
  (($(free_megabytes /usr) > megabytes)) ||
    fail_stage "The packages need $megabytes MB on the disk of /usr; $(free_megabytes /usr) MB are free."
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  "${apt[@]}" update ||
    fail_stage "apt-get update failed: is the network there? By hand: $by_hand"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail_stage "apt-get could not install: ${missing[*]}. No network, a full disk, or (Ubuntu) the component universe is off."
  note "installed ${#missing[@]}"
}

ensure_packages() {
  if ! command -v dpkg-query >/dev/null; then
    note "not Debian or Ubuntu: not checked; CMake names what is missing"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    note "all there"
  else
    install_packages "${missing[@]}"
  fi
}

# Where a Python keeps its torch, without importing it (the CPU set-up cannot be imported).
torch_of_python() {
  "$1" -c 'import importlib.util as u, os
s = u.find_spec("torch")
print(os.path.dirname(s.origin) if s and s.origin else "")' 2>/dev/null
}

is_torch_folder() {
  [[ -d $1/include/ATen && -e $1/lib/libtorch_cpu.so && -e $1/lib/libc10.so ]]
}

torch_version_of() {
  sed -n "s/^__version__ = '\(.*\)'/\1/p" "$1/version.py" 2>/dev/null | grep . ||
    cat "$1/build-version" 2>/dev/null || echo unknown
}

# The folder a path means: an unpacked LibTorch, a virtual environment, or a Python.
torch_at() {
  local path
  path=$(realpath -e -s -- "$1" 2>/dev/null) || fail_stage "--torch $1: no such file or folder"
  local found=
  if [[ -d $path ]]; then
    if is_torch_folder "$path"; then
      found=$path
    elif is_torch_folder "$path/libtorch"; then
      found=$path/libtorch
    elif [[ -x $path/bin/python ]]; then
      found=$(torch_of_python "$path/bin/python")
    fi
  elif [[ -x $path ]]; then
    found=$(torch_of_python "$path")
  fi
  { [[ -n $found ]] && is_torch_folder "$found"; } ||
    fail_stage "--torch $1: holds no LibTorch (looked for include/ATen and lib/libtorch_cpu.so, or a Python that has torch)"
  echo "$found"
}

choose_torch_folder() {
  local line=${1#"$venv"/}
  [[ -e $chosen_file && $(<"$chosen_file") == "$line" ]] && return
  mkdir -p "$venv"
  printf '%s\n' "$line" >"$chosen_file.part"
  mv "$chosen_file.part" "$chosen_file"
}

# The folder chosen earlier, when it is still whole; else nothing.
earlier_choice() {
  [[ -s $chosen_file ]] || return 0
  local folder
  folder=$(<"$chosen_file")
  if [[ $folder == /* ]]; then
    ! is_torch_folder "$folder" || echo "$folder"
  else
    ! wheel_is_here "$(site_packages)" cpu || echo "$venv/$folder"
  fi
}

# Finished installs only: pip writes RECORD last.
wheel_is_here() {
  local site=$1 half=$2
  [[ -n $site ]] || return 1
  is_torch_folder "$site/torch" && [[ -e $site/torch-$torch_version.dist-info/RECORD ]] || return 1
  [[ $half == cpu ]] && [[ -e $site/nvidia/cu13/lib/libcudart.so.13 ]] && return 0
  [[ -e $site/nvidia/cudnn/lib/libcudnn.so.9 && -e $site/nvidia/nccl/lib/libnccl.so.2 ]]
}

site_packages() {
  compgen -G "$venv/lib/python3.*/site-packages" | head -n 1 || true
}

install_wheel() {
  local half=$1 needed=3500
  [[ $half == cuda ]] && needed=9000
  (($(free_megabytes "$root") > needed)) ||
    fail_stage "LibTorch ($half) needs $needed MB while it is unpacked; $(free_megabytes "$root") MB are free in $root. LibTorch from elsewhere: --torch PATH."
  if [[ ! -x $venv/bin/pip ]]; then
    "$python" -m venv "$venv" ||
      fail_stage "python3 could not make a virtual environment in .venv (Debian package python3-venv)"
  fi
  # pip unpacks in the temporary folder, which may be a small one in memory.
  mkdir -p "$venv/tmp"
  local pip=(env TMPDIR="$venv/tmp" "$venv/bin/pip" --disable-pip-version-check --no-input install
    --progress-bar off)
  local reason="pip could not fetch torch $torch_version from PyPI: no network, a full disk, or a Python that has no wheel. Elsewhere installed? scripts/setup.sh --torch PATH"
  if [[ $half == cpu ]]; then
    "${pip[@]}" --no-deps "torch==$torch_version" "${cpu_extras[@]}" || fail_stage "$reason"
  else
    "${pip[@]}" "torch==$torch_version" || fail_stage "$reason"
  fi
  rm -rf "$venv/tmp"
  wheel_is_here "$(site_packages)" "$half" ||
    fail_stage "pip ended well, but the wheel is not complete in $(site_packages). Remove .venv and run again."
}

# Without it pages have still figures, so a failure ends nothing.
ensure_plotly() {
  local site
  site=$(site_packages)
  if [[ -n $site && -e $site/${plotly_package/==/-}.dist-info/RECORD ]]; then
    note "all there"
    return
  fi
  if [[ ! -x $venv/bin/pip ]]; then
    "$python" -m venv "$venv" || { note "no virtual environment in .venv: pages will have still figures"; return; }
  fi
  "$venv/bin/pip" --disable-pip-version-check --no-input install --progress-bar off --no-deps \
    "$plotly_package" || { note "pip could not fetch $plotly_package: pages will have still figures"; return; }
  note "$plotly_package"
}

nvcc_13_is_here() {
  local nvcc
  nvcc=$(PATH=${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin command -v nvcc) || return 1
  "$nvcc" --version | grep -q 'release 13\.'
}

# Into the wheel's own CUDA folder, whose libraries lack the names that a linker asks for. Without it
# layers run on LibTorch's operators, so a failure ends nothing.
ensure_nvcc() {
  local cuda
  cuda=$(site_packages)/nvidia/cu13
  if [[ -x $cuda/bin/nvcc ]] || nvcc_13_is_here; then return; fi
  "$venv/bin/pip" --disable-pip-version-check --no-input install --progress-bar off --no-deps \
    "${nvcc_parts[@]}" || { echo "no nvcc: the CUDA kernels are not built" >&2; return; }
  ln -sfn lib "$cuda/lib64"
  ln -sf libcudart.so.13 "$cuda/lib/libcudart.so"
}

ensure_nvcc_beside_torch() {
  if [[ -d $(site_packages)/nvidia/cu13 ]]; then
    ensure_nvcc
    note "all there"
  else
    note "no wheel in .venv (LibTorch from elsewhere): left out"
  fi
}

ensure_torch() {
  local wanted=$wanted_torch folder=
  if [[ -z $wanted ]]; then
    folder=$(earlier_choice)
    wanted=cpu
    if driver_is_here; then wanted=cuda; fi
  fi
  if [[ -z $folder ]]; then
    case $wanted in
      cpu | cuda)
        [[ $(uname -m) == x86_64 ]] ||
          fail_stage "The wheel's layout is known for x86_64 alone; on $(uname -m) pass --torch PATH."
        wheel_is_here "$(site_packages)" "$wanted" || install_wheel "$wanted"
        [[ $wanted == cpu ]] || ensure_nvcc
        folder=$(site_packages)/torch
        ;;
      *) folder=$(torch_at "$wanted") ;;
    esac
  fi
  choose_torch_folder "$folder"
  note "$(torch_version_of "$folder") for $(torch_kind "$folder"), in ${folder#"$root"/}"
}

torch_kind() {
  if [[ -e $1/lib/libtorch_cuda.so ]] &&
    { [[ ! -d $1/../nvidia ]] || [[ -e $1/../nvidia/cudnn ]]; }; then
    echo "CPU and CUDA"
  else
    echo CPU
  fi
}

ensure_python_checks() {
  if [[ ! -x $venv/bin/pip ]]; then
    note "no .venv (LibTorch from elsewhere): left out"
    return
  fi
  local found="from importlib.metadata import version as v
for name in ('numpy', 'safetensors', 'tokenizers'): print(name + '==' + v(name))"
  local wanted=("${checks_packages[@]}" "$tokenizers_package")
  if [[ $("$venv/bin/python" -c "$found" 2>/dev/null) == "$(printf '%s\n' "${wanted[@]}")" ]]; then
    note "all there"
    return
  fi
  local pip=("$venv/bin/pip" --disable-pip-version-check --no-input install --progress-bar off)
  "${pip[@]}" "${checks_packages[@]}" ||
    fail_stage "pip could not fetch ${checks_packages[*]} from PyPI"
  "${pip[@]}" --no-deps "$tokenizers_package" ||
    fail_stage "pip could not fetch $tokenizers_package from PyPI"
}

# Beside .venv's own packages: the build's half of the wheel cannot be imported, and this must not
# make a whole one of it.
ensure_transformers() {
  local own=$venv/transformers
  local versions="torch $torch_version, transformers $transformers_version"
  local found="from importlib.metadata import version as v
print('torch', v('torch') + ',', 'transformers', v('transformers'))"
  if [[ $("$own/bin/python" -c "$found" 2>/dev/null) == "$versions" ]]; then
    note "all there"
    return
  fi
  (($(free_megabytes "$root") > 9000)) ||
    fail_stage "transformers and its torch need 9000 MB while they are unpacked; $(free_megabytes "$root") MB are free in $root."
  "$python" -m venv "$own" || fail_stage "python3 could not make a virtual environment in $own"
  mkdir -p "$own/tmp"
  env TMPDIR="$own/tmp" "$own/bin/pip" --disable-pip-version-check --no-input install \
    --progress-bar off "torch==$torch_version" "transformers==$transformers_version" ||
    fail_stage "pip could not fetch transformers $transformers_version from PyPI: no network, or a full disk"
  rm -rf "$own/tmp"
  note "$versions"
}

stage "Debian packages" ensure_packages
if [[ $wanted_torch != none ]]; then
  stage "LibTorch" ensure_torch
fi
stage "Plotly" ensure_plotly
if $checks; then
  stage "nvcc" ensure_nvcc_beside_torch
  stage "Python packages for tests" ensure_python_checks
fi
if $transformers; then stage "transformers" ensure_transformers; fi
