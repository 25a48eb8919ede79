"""Puts libzus beside the package in a frozen program."""

from PyInstaller.utils.hooks import collect_dynamic_libs

binaries = collect_dynamic_libs("zoom_user_status")
