# The assembly for this PowerShell. The manifest stays plain data, which every tool reads.
if ($PSEdition -eq 'Core' -and $PSVersionTable.PSVersion -lt [version] '7.4') { throw "ZoomUserStatus needs PowerShell 7.4 or newer, or Windows PowerShell 5.1. This is $($PSVersionTable.PSVersion)." }
$framework = if ($PSEdition -eq 'Core') { 'net8.0' } else { 'netstandard2.0' }
Import-Module (Join-Path $PSScriptRoot "lib/$framework/ZoomUserStatus.PowerShell.dll") -ErrorAction Stop
