#!/usr/bin/env bash
# From nothing to two fitted scaling laws and a page: sets up, builds, makes the default data set,
# trains the sweep of configs/quickstart.yaml and writes the report. Run again, it does only what
# is missing; interrupted, it goes on where it stopped.
#
#   scripts/quickstart.sh [--runs FOLDER] [--out FOLDER]
#
#   --runs FOLDER   the store of run folders (default: runs in the project)
#   --out FOLDER    where the page goes (default: report/quickstart in the project); its path is
#                   printed at the end
source "$(dirname -- "${BASH_SOURCE[0]}")/stages.sh"

runs=runs
out=report/quickstart
while (($# > 0)); do
  case $1 in
    --runs | --out)
      (($# > 1)) || usage_error "$1 needs a folder"
      printf -v "${1#--}" '%s' "$(realpath -m -- "$2")"
      shift
      ;;
    -h | --help)
      print_help
      exit 0
      ;;
    *) usage_error "unknown option '$1'; see scripts/quickstart.sh --help" ;;
  esac
  shift
done

cd "$root"
scripts/setup.sh
stage "Configure" configure_preset release
stage "Build" build_preset release programs
scalelaw=build/release/bin/scalelaw
show "Data" "$scalelaw" data build default --torch "$(torch_folder)"
# The numbers of the README are a CPU's, and its models too small for a GPU to be worth its start.
show "Sweep" "$scalelaw" sweep run configs/quickstart.yaml --runs "$runs" --device cpu
show "Report" "$scalelaw" report "$runs/sweeps/quickstart.json" --out "$out"
