# Writes the module's help (MAML) from the XML documentation of its assembly: help.ps1 MODULE-FOLDER DOCUMENTATION.xml
param([Parameter(Mandatory)] [string] $Module, [Parameter(Mandatory)] [string] $Documentation)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$doc = [System.Xml.XmlDocument]::new()
$doc.Load((Resolve-Path $Documentation))
# The text of one element of a member, on one line; its paragraphs apart. Without a text the help would be incomplete: an error.
function Text([string] $Member, [string] $Element) {
    $node = $doc.SelectSingleNode("/doc/members/member[@name='$Member']/$Element")
    if (-not $node -or -not $node.InnerText.Trim()) { throw "$Member has no $Element" }
    $node.InnerText.Trim() -replace '\s+', ' '
}

$info = Import-Module (Resolve-Path $Module) -PassThru
$out = [System.Xml.XmlTextWriter]::new((Join-Path $info.ModuleBase 'en-US/ZoomUserStatus.PowerShell.dll-Help.xml'), [System.Text.UTF8Encoding]::new($false))
$out.Formatting = 'Indented'
$spaces = @{
    maml = 'http://schemas.microsoft.com/maml/2004/10'
    command = 'http://schemas.microsoft.com/maml/dev/command/2004/10'
    dev = 'http://schemas.microsoft.com/maml/dev/2004/10'
}
function Write([string] $Name, $Content, [hashtable] $Attributes = @{}) {
    $prefix, $local = $Name -split ':'
    $out.WriteStartElement($prefix, $local, $spaces[$prefix])
    foreach ($key in $Attributes.Keys | Sort-Object) { $out.WriteAttributeString($key, $Attributes[$key]) }
    if ($Content -is [scriptblock]) { & $Content } elseif ($Content) { $out.WriteString($Content) }
    $out.WriteEndElement()
}
function Paragraph([string] $Name, [string] $Text) { Write $Name { Write 'maml:para' $Text } }

$ours = @{ WhatIf = 'Says what would happen, and sends nothing.'; Confirm = 'Asks before anything is sent; -Confirm:$false asks nothing, for scheduled tasks.' }
function ParameterText($Command, [string] $Name) {
    if ($ours[$Name]) { return $ours[$Name] }
    Text "P:$($Command.ImplementingType.GetProperty($Name).DeclaringType.FullName).$Name" 'summary'
}
function WriteParameter($Command, $Parameter) {
    $attributes = @{
        required = "$($Parameter.IsMandatory)".ToLowerInvariant()
        variableLength = "$($Parameter.ParameterType.IsArray)".ToLowerInvariant()
        globbing = 'false'
        pipelineInput = if ($Parameter.ValueFromPipeline) { 'True (ByValue)' } else { 'False' }
        position = if ($Parameter.Position -ge 0) { "$($Parameter.Position)" } else { 'named' }
        aliases = if ($Parameter.Aliases) { $Parameter.Aliases -join ', ' } else { 'none' }
    }
    Write 'command:parameter' -Attributes $attributes {
        Write 'maml:name' $Parameter.Name
        Paragraph 'maml:Description' (ParameterText $Command $Parameter.Name)
        if ($Parameter.ParameterType.IsEnum) {
            Write 'command:parameterValueGroup' { foreach ($value in [enum]::GetNames($Parameter.ParameterType)) { Write 'command:parameterValue' $value -Attributes @{ required = 'false'; variableLength = 'false' } } }
        }
        elseif ($Parameter.ParameterType -ne [switch]) { Write 'command:parameterValue' $Parameter.ParameterType.Name -Attributes @{ required = 'true'; variableLength = 'false' } }
        Write 'dev:type' { Write 'maml:name' $Parameter.ParameterType.FullName }
        if ($Parameter.ParameterType -eq [int]) { Write 'dev:defaultValue' "$([Activator]::CreateInstance($Command.ImplementingType).$($Parameter.Name))" }
    }
}
$common = [System.Management.Automation.PSCmdlet]::CommonParameters
$out.WriteStartDocument()
$out.WriteStartElement('helpItems', 'http://msh')
$out.WriteAttributeString('schema', 'maml')
foreach ($command in Get-Command -Module $info.Name | Sort-Object Name) {
    $type = "T:$($command.ImplementingType.FullName)"
    Write 'command:command' {
        Write 'command:details' {
            Write 'command:name' $command.Name
            Write 'command:verb' $command.Verb
            Write 'command:noun' $command.Noun
            Paragraph 'maml:description' (Text $type 'summary')
        }
        Paragraph 'maml:description' (Text $type 'remarks')
        Write 'command:syntax' {
            foreach ($set in $command.ParameterSets) {
                Write 'command:syntaxItem' {
                    Write 'maml:name' $command.Name
                    # As Get-Command -Syntax has them: the positional one first, and what must be given before what may.
                    $set.Parameters | Where-Object Name -notin $common | Sort-Object -Stable { $_.Position -lt 0 }, { -not $_.IsMandatory } | ForEach-Object { WriteParameter $command $_ }
                }
            }
        }
        Write 'command:parameters' {
            $command.ParameterSets.Parameters | Where-Object Name -notin $common | Sort-Object Name -Unique | ForEach-Object { WriteParameter $command $_ }
        }
        Write 'command:inputTypes' {
            foreach ($piped in $command.ParameterSets.Parameters | Where-Object ValueFromPipeline) { Write 'command:inputType' { Write 'dev:type' { Write 'maml:name' $piped.ParameterType.FullName } } }
        }
        Write 'command:returnValues' {
            foreach ($output in $command.OutputType) { Write 'command:returnValue' { Write 'dev:type' { Write 'maml:name' $output.Name } } }
        }
        Write 'command:examples' {
            $number = 0
            foreach ($example in $doc.SelectNodes("/doc/members/member[@name='$type']/example")) {
                $number++
                Write 'command:example' {
                    Write 'maml:title' "Example $number"
                    Write 'dev:code' (($example.SelectSingleNode('code').InnerText.Trim() -split '\r?\n').ForEach('Trim') -join "`n")
                    Paragraph 'dev:remarks' ($example.SelectSingleNode('para').InnerText.Trim() -replace '\s+', ' ')
                }
            }
            if (-not $number) { throw "$type has no example" }
        }
        Write 'command:relatedLinks' { Write 'maml:navigationLink' { Write 'maml:linkText' 'about_ZoomUserStatus'; Write 'maml:uri' '' } }
    }
}
$out.WriteEndElement()
$out.Close()
