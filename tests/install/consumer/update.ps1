# The module as a person gets it, in PowerShell 7 and in Windows PowerShell 5.1: update.ps1 MODULE-FOLDER, with the sandbox's variables in
# the environment (tests/install/with-sandbox.sh).
param([Parameter(Mandatory = $true)] [string] $Module)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module (Resolve-Path $Module).ProviderPath
"PowerShell $($PSVersionTable.PSVersion), $([IntPtr]::Size * 8) bits"
$rows = 'Email,Password', 'ada@example.com,hunter2', 'grace@example.com,hunter2', 'nobody@example.com,hunter2' | ConvertFrom-Csv
$results = @($rows | Disable-ZoomUser -Confirm:$false -ErrorAction SilentlyContinue)
$results | Format-Table
$done = @($results | Where-Object Status -EQ Done)
if ($results.Count -ne 3 -or $done.Count -ne 2) { throw 'two of three must be done' }
if (@($results | Where-Object { $_.InputObject.Password -ne 'hunter2' }).Count -ne 0) { throw 'the input is not there' }
foreach ($text in ($results | ConvertTo-Csv | Out-String), ($results | ConvertTo-Json | Out-String), ([System.Management.Automation.PSSerializer]::Serialize($results))) {
    if ($text -match 'hunter2' -or $text -notmatch 'grace@example.com') { throw 'an export must have the results without their inputs' }
}
if ((Get-ZoomUserStatus grace@example.com).UserStatus -ne 'Inactive') { throw 'grace must be inactive' }
$sent = $false
try { [pscustomobject] @{ Name = 'Ada' } | Disable-ZoomUser -Confirm:$false; $sent = $true } catch { $_.Exception.Message }
if ($sent) { throw 'a row without a known column must end the command' }
if (-not (Test-ZoomUserStatusConnection -Quiet)) { throw 'the connection must be good' }
if ((Get-Help Disable-ZoomUser).Synopsis -notmatch 'Deactivates') { throw 'there must be help' }
